import { resolve } from 'node:path';
import { nodeState } from '../bootstrap/node-state.ts';
import { readText } from '../config/read-text.ts';
import { gatewayVersion } from '../doctor/checks/gateway-version.ts';
import { gatewayVersions } from '../doctor/checks/gateway-versions.ts';
import { incrementalSync } from '../doctor/checks/incremental-sync.ts';
import { kongPrefix } from '../doctor/checks/kong-prefix.ts';
import type { Check } from '../doctor/run-checks.ts';
import { parseKongConf } from '../kong/kong-conf.ts';
import type { DoctorSite } from './doctor-site.ts';
import { Part } from './parts.ts';

/** Where Kong keeps what it knows, as it is built. */
const KONG = { prefix: '/usr/local/kong', environmentPath: 'dbless.lmdb' };

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

function kongPlace({ loaded, places: { env } }: DoctorSite): { prefix: string; environmentPath: string } {
  const { kongPrefix: prefix, lmdbEnvironmentPath } = loaded.settings.bootstrap;
  return {
    prefix: resolve(loaded.baseDirectory, prefix ?? (env['KONG_PREFIX'] || KONG.prefix)),
    environmentPath: lmdbEnvironmentPath ?? (env['KONG_LMDB_ENVIRONMENT_PATH'] || KONG.environmentPath),
  };
}
