import { readFile, statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { nodeState } from '../bootstrap/node-state.ts';
import { readText } from '../config/read-text.ts';
import { diskSpace } from '../doctor/checks/disk-space.ts';
import { fileLimit } from '../doctor/checks/file-limit.ts';
import { gatewayVersion } from '../doctor/checks/gateway-version.ts';
import { gatewayVersions } from '../doctor/checks/gateway-versions.ts';
import { incrementalSync } from '../doctor/checks/incremental-sync.ts';
import { kongPrefix } from '../doctor/checks/kong-prefix.ts';
import { listenAddress } from '../doctor/checks/listen-address.ts';
import { nameResolves } from '../doctor/checks/name-resolves.ts';
import { signingKeyAtReader } from '../doctor/checks/signing-key-at-reader.ts';
import { signingKeys } from '../doctor/checks/signing-keys.ts';
import { type FolderToCheck, writableFolder } from '../doctor/checks/writable-folder.ts';
import type { Fault } from '../doctor/observation.ts';
import type { Check } from '../doctor/run-checks.ts';
import { runningService } from '../doctor/running-service.ts';
import { parseKongConf } from '../kong/kong-conf.ts';
import type { StatusReport } from '../status/report.ts';
import { hostsToFind } from './doctor-hosts.ts';
import type { DoctorSite } from './doctor-site.ts';
import { writtenSettings } from './doctor-written.ts';
import { Part } from './parts.ts';

/** Where Kong keeps what it knows, as it is built. */
const KONG = { prefix: '/usr/local/kong', environmentPath: 'dbless.lmdb' };

/** Keys, names, folders, ports and the gateway of this machine. */
export function machineChecks(site: DoctorSite, status: (() => Promise<StatusReport>) | undefined): Check[] {
  return [...keyChecks(site), ...nameChecks(site), ...folderChecks(site, status), ...portChecks(site)];
}

/** What the gateway here, or the gateways of the fleet, must not be. */
export function gatewayChecks(site: DoctorSite): Check[] {
  const { installed, loaded, places, role, versions } = site;
  const { env, kongConf } = places;
  const { gatewayVersions: listed, bootstrap } = loaded.settings;
  if (role === 'exporter') return [];
  const sync: Check = {
    area: 'gateway',
    name: 'incremental sync',
    look: async () => {
      const conf =
        kongConf === undefined
          ? undefined
          : parseKongConf((await readText(resolve(loaded.cwd, kongConf))).text);
      const settingOf = (name: string) => env[`KONG_${name.toUpperCase()}`] ?? conf?.entries.get(name)?.value;
      return incrementalSync(settingOf, role === 'relay' ? 'error' : 'warning');
    },
  };
  if (role === 'relay') {
    return [sync, { area: 'gateway', name: 'gateway versions', look: () => gatewayVersions(listed) }];
  }
  return [
    sync,
    {
      area: 'gateway',
      name: 'gateway version',
      look: () => gatewayVersion({ set: bootstrap.gatewayVersion, installed, listed }),
    },
    {
      area: 'gateway',
      name: 'prefix of Kong',
      look: async (signal) => {
        const place = kongPlace(site);
        // Any version does where none is known: the tag alone depends on it.
        const seen = await nodeState(place, versions[0] ?? '3.9.0', site.get(Part.clock), signal);
        return kongPrefix(place.prefix, seen);
      },
    },
  ];
}

export async function limitsText(): Promise<string | undefined> {
  return readFile('/proc/self/limits', 'utf8').catch(() => undefined);
}

export const fileLimitCheck = ({ loaded, role }: DoctorSite): Check[] =>
  role !== 'relay'
    ? []
    : [
        {
          area: 'machine',
          name: 'open files',
          look: async () => fileLimit(await limitsText(), loaded.settings.relay.maxConnections),
        },
      ];

function keyChecks({ loaded, places, role, whole }: DoctorSite): Check[] {
  const { privateKey, publicKeys } = loaded.settings.signing;
  if (role === 'exporter') {
    if (!whole) return [];
    return [
      {
        area: 'keys and certificates',
        name: 'signing keys',
        look: () => signingKeys(privateKey, publicKeys),
      },
    ];
  }
  return [
    {
      area: 'keys and certificates',
      name: 'signing key',
      look: async () => {
        const written = await writtenSettings(places);
        return signingKeyAtReader(written.text(['signing', 'privateKey']), (text) => written.resolve(text));
      },
    },
  ];
}

const nameChecks = ({ loaded, places, role }: DoctorSite): Check[] =>
  hostsToFind(loaded, role, places.env).map(({ host, severity, where }) => ({
    area: 'names',
    name: `address of ${host}`,
    look: () => nameResolves(host, where, severity),
  }));

function folderChecks(site: DoctorSite, status: (() => Promise<StatusReport>) | undefined): Check[] {
  const folders = foldersOf(site);
  return folders.flatMap((folder): Check[] => [
    { area: 'disk and ports', name: folder.setting, look: () => writableFolder(folder) },
    {
      area: 'disk and ports',
      name: `space for ${folder.setting}`,
      look: async () => {
        const documentBytes = await status?.().then(largestDocument, () => undefined);
        return diskSpace({ setting: folder.setting, path: folder.path, documentBytes }, freeBytes);
      },
    },
  ]);
}

/** Where a cache cannot be written sealed bytes go to the temporary folder; a target has no such place. */
function foldersOf({ loaded, role }: DoctorSite): FolderToCheck[] {
  const { baseDirectory, entries, settings } = loaded;
  const cache = (setting: string, path: string): FolderToCheck => ({
    setting,
    path,
    made: true,
    severity: 'warning',
  });
  if (role === 'relay') {
    return [cache('relay.cacheDirectory', resolve(baseDirectory, settings.relay.cacheDirectory))];
  }
  if (role !== 'node') return [];
  const { target } = entries;
  const path = (target?.settings as { readonly path?: unknown } | undefined)?.path;
  const isFile = target?.use === 'file' && target.reference.url === null && typeof path === 'string';
  return [
    cache('bootstrap.cacheDirectory', settings.bootstrap.cacheDirectory),
    ...(isFile
      ? [
          {
            setting: 'bootstrap.target',
            path: dirname(resolve(baseDirectory, path)),
            made: false,
            severity: 'error' as const,
          },
        ]
      : []),
  ];
}

function portChecks({ loaded, role }: DoctorSite): Check[] {
  const { relay, service } = loaded.settings;
  // A node fails open; its port is no reason for the gateway not to start.
  const severity: Fault = role === 'node' ? 'warning' : 'error';
  const running = (signal: AbortSignal) => runningService(service.listen, signal);
  const wanted = [
    ...(service.listen === 'off' ? [] : [{ setting: 'service.listen', listen: service.listen }]),
    ...(role === 'relay' && relay.listen !== undefined
      ? [{ setting: 'relay.listen', listen: relay.listen }]
      : []),
    ...(role === 'relay'
      ? relay.listeners.map(({ listen }) => ({ setting: 'relay.listeners', listen }))
      : []),
  ];
  return wanted.map((one) => ({
    area: 'disk and ports',
    name: one.setting,
    look: (signal) => listenAddress({ ...one, severity, running }, signal),
  }));
}

function kongPlace({ loaded, places: { env } }: DoctorSite): { prefix: string; environmentPath: string } {
  const { kongPrefix: prefix, lmdbEnvironmentPath } = loaded.settings.bootstrap;
  return {
    prefix: resolve(loaded.baseDirectory, prefix ?? (env['KONG_PREFIX'] || KONG.prefix)),
    environmentPath: lmdbEnvironmentPath ?? (env['KONG_LMDB_ENVIRONMENT_PATH'] || KONG.environmentPath),
  };
}

function largestDocument({ lines }: StatusReport): number | undefined {
  const sizes = lines.flatMap(({ heads }) =>
    heads.flatMap(({ head }) => (head === null ? [] : [head.current.documentBytes])),
  );
  return sizes.length === 0 ? undefined : Math.max(...sizes);
}

async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}
