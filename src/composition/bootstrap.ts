import { hostname } from 'node:os';
import { resolve } from 'node:path';
import type { DependencyContainer } from 'tsyringe';
import { nodeState } from '../bootstrap/node-state.ts';
import { Bootstrap, type BootstrapDependencies } from '../bootstrap/pipeline.ts';
import { STORE_BREAKER } from '../bootstrap/store-breaker.ts';
import type { LoadedSettings } from '../config/index.ts';
import { FallbackError } from '../errors/index.ts';
import { nodeIdOf } from '../kong/index.ts';
import { probeControlPlane } from '../kong/probe.ts';
import type { Logger } from '../plugin/plugin.ts';
import { SnapshotCache } from '../restore/cache.ts';
import { restore } from '../restore/pipeline.ts';
import { SnapshotStore } from '../snapshot/snapshot-store.ts';
import { announcedPlugins } from './announced-plugins.ts';
import { commonParts, pluginDependencies } from './common-parts.ts';
import { Part } from './parts.ts';
import { createPlugin } from './plugin-create.ts';
import { type Get, get as getter, provide } from './tokens.ts';

/** For each store's head, all tries together. */
const RESOLVE_MS = 15_000;
/** An exporter writes every ten minutes at the latest (export.confirmSchedule): two of those are recent. */
const RECENT_MS = 1_200_000;
/** Where Kong keeps what it knows, as it is built. */
const KONG = { prefix: '/usr/local/kong', environmentPath: 'dbless.lmdb' };

export interface BootstrapOptions {
  /** Bootstrap also a node that has a configuration. Default: false. */
  readonly force?: boolean;
  /** For KONG_PREFIX and the like, and to run `kong version`. Default: the process's own. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** The parts list of a node's bootstrap. */
export function bootstrapParts(loaded: LoadedSettings, log: Logger): DependencyContainer {
  const parts = commonParts(loaded, log, { storeBreaker: STORE_BREAKER });
  provide(parts, Part.target, async (get) => {
    const { target } = get(Part.settings).entries;
    if (target === undefined) {
      throw new FallbackError('invalid', 'KF_NO_TARGET', 'bootstrap.target is not set', {
        hint: 'Say what to do with the configuration: bootstrap: { target: { use: file, path: /var/lib/kongfallback/kong.json } }.',
      });
    }
    const created = await createPlugin('target', target, pluginDependencies(get));
    get(Part.lifecycle).opened('target', () => created.close?.());
    return created;
  });
  return parts;
}

export async function createBootstrap(
  container: DependencyContainer,
  { env = process.env, force = false }: BootstrapOptions = {},
): Promise<Bootstrap> {
  const get = getter(container);
  const { settings, baseDirectory } = get(Part.settings);
  const [clock, log, trust] = [get(Part.clock), get(Part.log), get(Part.trust)];
  const line = { cluster: settings.cluster, gatewayVersion: await gatewayVersion(get, env) };
  const target = await get(Part.target);
  const sealing = await get(Part.sealing);
  const stores = (await get(Part.stores)).map((store) => new SnapshotStore(store, { ...line, trust }));
  const { bootstrap, limits } = settings;
  const cache = new SnapshotCache(bootstrap.cacheDirectory, line, clock);
  get(Part.lifecycle).opened('cache', () => cache.close());
  const { maxAgeSeconds, minimumSequence } = bootstrap;
  const place = {
    prefix: resolve(baseDirectory, bootstrap.kongPrefix ?? (env['KONG_PREFIX'] || KONG.prefix)),
    environmentPath:
      bootstrap.lmdbEnvironmentPath ?? (env['KONG_LMDB_ENVIRONMENT_PATH'] || KONG.environmentPath),
  };
  return new Bootstrap(
    {
      gatewayVersion: line.gatewayVersion,
      maxDocumentBytes: limits.maxDocumentBytes,
      maxAgeMs: maxAgeSeconds === undefined ? undefined : maxAgeSeconds * 1000,
      force,
      watchMs: bootstrap.watchSeconds * 1000,
    },
    {
      nodeState: (signal) => nodeState(place, line.gatewayVersion, clock, signal),
      probe: probeOf(get, line.gatewayVersion),
      restore: (signal) =>
        restore(
          { line, stores, cache, sealing, trust, clock },
          {
            resolveMs: RESOLVE_MS,
            recentMs: RECENT_MS,
            ...(minimumSequence !== undefined && { minimumSequence }),
            maxSealedBytes: limits.maxSealedBytes,
            maxDocumentBytes: limits.maxDocumentBytes,
          },
          { signal },
        ),
      target,
      worker: get(Part.worker),
      clock,
      random: get(Part.random),
      log,
    },
  );
}

/** What is set, else what is installed, else the only one that there is. */
async function gatewayVersion(get: Get, env: Readonly<Record<string, string | undefined>>): Promise<string> {
  const { bootstrap, gatewayVersions } = get(Part.settings).settings;
  if (bootstrap.gatewayVersion !== undefined) return bootstrap.gatewayVersion;
  const { kongVersion } = await import('../config/kong-version.ts');
  const installed = await kongVersion(env);
  if (installed !== undefined) return installed;
  const [only, ...others] = gatewayVersions;
  if (only !== undefined && others.length === 0) return only;
  throw new FallbackError(
    'invalid',
    'KF_NO_GATEWAY_VERSION',
    only === undefined ? 'the gateway version of this node is not set' : 'gatewayVersions names several',
    { hint: 'Set bootstrap.gatewayVersion to what `kong version` prints on this node, such as "3.9.1".' },
  );
}

function probeOf(get: Get, version: string): BootstrapDependencies['probe'] {
  const { settings } = get(Part.settings);
  const { controlPlane, bootstrap } = settings;
  if (controlPlane === undefined) return undefined;
  return (signal) =>
    probeControlPlane({
      controlPlane,
      gatewayVersion: version,
      nodeId: nodeIdOf(settings.cluster, version, `bootstrap ${hostname()}`),
      nodeHostname: hostname(),
      labels: { 'kongfallback-role': 'bootstrap' },
      plugins: announcedPlugins(settings.source, version),
      probeMs: bootstrap.probeSeconds * 1000,
      clock: get(Part.clock),
      signal,
    });
}
