import type { LoadedEntry, LoadedSettings } from '../config/index.ts';
import type { Fault } from '../doctor/observation.ts';
import type { DoctorRole } from '../doctor/report.ts';
import { parseAddress } from '../kong/index.ts';

export interface HostToFind {
  readonly host: string;
  /** What is there: "control plane", "storage s3". */
  readonly where: string;
  readonly severity: Fault;
}

/** Settings under which plugins hold the address of a server. */
const ADDRESS_SETTINGS = ['endpoint', 'address', 'url'];
const PROXIES = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy'];

/** Every name that this role has to find. Behind a proxy names are the proxy's business. */
export function hostsToFind(
  { entries, settings }: LoadedSettings,
  role: DoctorRole,
  env: NodeJS.ProcessEnv,
): HostToFind[] {
  const controlPlane = (settings.controlPlane?.addresses ?? []).map(
    (address): HostToFind => ({
      host: parseAddress(address).host,
      where: 'control plane',
      severity: role === 'node' ? 'warning' : 'error',
    }),
  );
  const proxied = PROXIES.some((name) => (env[name] ?? '') !== '');
  const servers = proxied
    ? []
    : [...entries.storages, ...entries.encryption].flatMap((entry) =>
        hostsOf(entry).map(
          (host): HostToFind => ({ host, where: `${entry.kind} ${entry.id}`, severity: 'error' }),
        ),
      );
  const all = [...controlPlane, ...servers];
  return all.filter(
    ({ host, where }, at) => all.findIndex((one) => one.host === host && one.where === where) === at,
  );
}

/** A plugin's settings are its own; what looks like an address in them is one. */
function hostsOf({ settings }: LoadedEntry): string[] {
  const given = (settings ?? {}) as Readonly<Record<string, unknown>>;
  const { proxy } = given;
  if (typeof proxy === 'string' && proxy !== 'none') return [];
  return ADDRESS_SETTINGS.map((name) => given[name])
    .filter(
      (value): value is string =>
        typeof value === 'string' && /^https?:\/\//.test(value) && URL.canParse(value),
    )
    .map((value) => new URL(value).hostname.replace(/^\[|\]$/g, ''));
}
