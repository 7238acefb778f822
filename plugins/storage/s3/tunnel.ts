import http from 'node:http';
import https from 'node:https';
import { isIPv6, type Socket } from 'node:net';
import type { PluginContext } from 'kongfallback/plugin';
import { networkError } from './errors.ts';
import type { Destination, HttpProxy } from './proxy.ts';

export interface TunnelOptions {
  /** Trusted instead of the public CAs, also for a proxy with https. */
  readonly ca?: string;
  readonly signal: AbortSignal;
  readonly context: PluginContext;
}

/**
 * A connection to the destination through a proxy (HTTP CONNECT). Node bounds the head of the proxy's answer at
 * 16 KiB; the signal bounds its time.
 *
 * @throws kind `denied` when the proxy refuses, `unavailable` when it is not there or reaches nobody
 */
export function openTunnel(proxy: HttpProxy, to: Destination, options: TunnelOptions): Promise<Socket> {
  const { ca, context, signal } = options;
  const authority = `${isIPv6(to.host) ? `[${to.host}]` : to.host}:${to.port}`;
  const named = `proxy ${proxy.host}:${proxy.port}`;
  return new Promise((resolve, reject) => {
    const request = (proxy.secure ? https : http).request({
      host: proxy.host,
      port: proxy.port,
      method: 'CONNECT',
      path: authority,
      headers: { host: authority, ...authorization(proxy) },
      agent: false,
      signal,
      ...(ca !== undefined && { ca }),
    });
    request.once('error', (error) => {
      // An ended deadline brings its own error; so does an agent that is closed.
      reject(signal.aborted ? signal.reason : networkError(context, error, named));
    });
    request.once('connect', ({ statusCode = 0 }, socket: Socket, early) => {
      if (statusCode >= 200 && statusCode < 300 && early.length === 0) {
        resolve(socket);
        return;
      }
      socket.destroy();
      reject(refusal(context, `${named}: no tunnel to ${authority} (${statusCode})`, statusCode, authority));
    });
    request.end();
  });
}

const authorization = ({ credentials }: HttpProxy): Record<string, string> =>
  credentials === undefined
    ? {}
    : { 'proxy-authorization': `Basic ${Buffer.from(credentials).toString('base64')}` };

function refusal(context: PluginContext, message: string, status: number, authority: string): Error {
  if (status === 407) {
    return context.error('denied', message, {
      hint: 'The proxy wants a user and password: set `proxyCredentials`, or put them into HTTPS_PROXY.',
    });
  }
  if (status === 429 || status >= 500) {
    return context.error('unavailable', message, {
      hint: `The proxy does not reach ${authority}; see its log, and that it resolves that name.`,
    });
  }
  return context.error('denied', message, {
    hint: `Let the proxy tunnel (CONNECT) to ${authority}, or name the host in NO_PROXY, or set \`proxy: none\`.`,
  });
}
