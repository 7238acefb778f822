import type { PluginContext } from 'kongfallback/plugin';
import { NoProxy } from './no-proxy.ts';
import type { S3Settings } from './settings.ts';

export interface HttpProxy {
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
  /** user:password; never shown. */
  readonly credentials?: string;
}

export interface Destination {
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
}

/** The proxy that a connection goes through; undefined for a direct one. */
export type ProxyFor = (destination: Destination) => HttpProxy | undefined;

/**
 * What the settings say holds for every destination. Without, the environment decides as it does for curl and Go;
 * loopback is always direct.
 *
 * @throws (when asked) kind `invalid` for a variable that is no URL of a proxy
 */
export function proxyFor(
  { proxy, proxyCredentials }: S3Settings,
  environment: Readonly<Record<string, string | undefined>>,
  context: PluginContext,
): ProxyFor {
  if (proxy === 'none') return () => undefined;
  if (proxy !== undefined) {
    const fixed = { ...parsed(new URL(proxy)), ...(proxyCredentials && { credentials: proxyCredentials }) };
    return () => fixed;
  }
  const noProxy = new NoProxy(firstSet(environment, ['no_proxy', 'NO_PROXY'])?.value ?? '');
  return (destination) => {
    const names = destination.secure ? ['https_proxy', 'HTTPS_PROXY'] : ['http_proxy', 'HTTP_PROXY'];
    const found = firstSet(environment, names);
    if (found === undefined || noProxy.has(destination.host, destination.port)) return undefined;
    return fromVariable(found, context);
  };
}

function fromVariable({ name, value }: { name: string; value: string }, context: PluginContext): HttpProxy {
  const text = value.includes('://') ? value : `http://${value}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.hostname === '' || !/^https?:$/.test(url.protocol)) {
    // It may hold a password: never repeated.
    throw context.error('invalid', `the environment's ${name} is no http:// or https:// URL of a proxy`, {
      hint: `Correct ${name}, or set \`proxy\` (none for no proxy); SOCKS is not supported.`,
    });
  }
  const { password, username } = url;
  const credentials = `${decoded(username)}:${decoded(password)}`;
  return { ...parsed(url), ...(credentials !== ':' && { credentials }) };
}

function parsed(url: URL): HttpProxy {
  const secure = url.protocol === 'https:';
  const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port);
  return { secure, host: bare(url.hostname), port };
}

/** Without the brackets of IPv6. */
export const bare = (host: string): string => host.replace(/^\[(.*)\]$/, '$1');

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function firstSet(
  environment: Readonly<Record<string, string | undefined>>,
  names: readonly string[],
): { name: string; value: string } | undefined {
  for (const name of names) {
    const value = environment[name]?.trim();
    if (value !== undefined && value !== '') return { name, value };
  }
  return undefined;
}
