import 'reflect-metadata';
import { extname } from 'node:path';
import { type DependencyContainer, container as root } from 'tsyringe';
import type { LoadedSettings } from '../config/index.ts';
import { Findings, Redactor } from '../observe/index.ts';
import type { Logger } from '../plugin/plugin.ts';
import { Breaker, type BreakerPolicy, type BreakerState, Outside, systemClock } from '../resilience/index.ts';
import { Lifecycle } from '../service/lifecycle.ts';
import { DocumentWorker } from '../snapshot/document-worker.ts';
import { GuardedStore } from '../snapshot/guarded-store.ts';
import { Signer, Trust } from '../snapshot/keys.ts';
import { Sealing } from '../snapshot/sealing.ts';
import { HeadWatches } from '../status/head-watches.ts';
import { Part } from './parts.ts';
import { createPlugin, type PluginDependencies } from './plugin-create.ts';
import { type Get, provide } from './tokens.ts';

/** For one call to a key service; a local key takes microseconds. */
const ENCRYPTION_DEADLINE_MS = 10_000;

/** A container of its own for each service, so that several live in one process; with what every role shares. */
export function commonParts(
  loaded: LoadedSettings,
  log: Logger,
  { storeBreaker }: { readonly storeBreaker?: BreakerPolicy } = {},
): DependencyContainer {
  const parts = root.createChildContainer();
  const { settings, entries } = loaded;

  provide(parts, Part.settings, () => loaded);
  provide(parts, Part.log, () => log);
  provide(parts, Part.redactor, () => new Redactor(loaded.secrets));
  provide(parts, Part.clock, () => systemClock);
  provide(parts, Part.random, () => Math.random);
  provide(parts, Part.lifecycle, () => new Lifecycle());
  provide(parts, Part.seat, () => undefined);
  provide(parts, Part.findings, (get) => new Findings(get(Part.clock), get(Part.log)));
  provide(parts, Part.outside, (get) => new Outside(get(Part.clock), get(Part.random)));
  provide(parts, Part.stores, (get) => createStores(get, storeBreaker));
  provide(parts, Part.breakers, () => new Map<string, Breaker>());
  provide(parts, Part.heads, (get) => new HeadWatches(get(Part.trust), get(Part.clock)));
  provide(parts, Part.trust, () => new Trust(settings.signing.publicKeys ?? []));
  provide(parts, Part.signers, () => {
    const { privateKey } = settings.signing;
    return privateKey === undefined ? [] : [new Signer(privateKey, 'signing.privateKey')];
  });
  provide(parts, Part.sealing, async (get) => {
    const options = { outside: get(Part.outside), deadlineMs: ENCRYPTION_DEADLINE_MS };
    const instances = entries.encryption.map(async (entry) => ({
      id: entry.id,
      use: entry.plugin.name,
      plugin: await createPlugin('encryption', entry, pluginDependencies(get)),
    }));
    return new Sealing(await Promise.all(instances), options);
  });
  provide(parts, Part.worker, (get) => {
    return new DocumentWorker({
      entryUrl: workerEntry(),
      validators: entries.validators.map(({ id, use, reference, settings: checked }) => ({
        id,
        use,
        url: reference.url,
        settings: checked,
      })),
      clock: get(Part.clock),
      log: get(Part.log),
      baseDirectory: loaded.baseDirectory,
    });
  });
  return parts;
}

export function pluginDependencies(get: Get): PluginDependencies {
  const { settings, baseDirectory, cwd } = get(Part.settings);
  return {
    cluster: settings.cluster,
    folders: { baseDirectory, cwd },
    log: get(Part.log),
    clock: get(Part.clock),
  };
}

/** That a store failed and that it is back are news. Between them it is tried several times a minute, for hours. */
export function breakerLog(log: Logger, store: string): (state: BreakerState) => void {
  let failed = false;
  return (state) => {
    const level = state === 'closed' ? 'info' : state === 'open' && !failed ? 'warn' : 'debug';
    failed = state !== 'closed';
    log[level](
      { event: 'breaker.state', store, state },
      `the circuit breaker of storage ${store} is ${state}`,
    );
  };
}

async function createStores(get: Get, policy: BreakerPolicy | undefined): Promise<readonly GuardedStore[]> {
  const { entries } = get(Part.settings);
  const [log, lifecycle] = [get(Part.log), get(Part.lifecycle)];
  const stores: GuardedStore[] = [];
  for (const entry of entries.storages) {
    const { id, prefix, plugin, singleWriter } = entry;
    const breaker = new Breaker(`storage ${id}`, policy, breakerLog(log, id));
    get(Part.breakers).set(id, breaker);
    const store = new GuardedStore({
      id,
      prefix,
      singleWriter,
      store: await createPlugin('storage', entry, pluginDependencies(get)),
      capabilities: plugin.capabilities ?? {},
      outside: get(Part.outside),
      clock: get(Part.clock),
      breaker,
    });
    lifecycle.opened(`storage ${id}`, async () => {
      breaker.close();
      await store.close({ signal: new AbortController().signal });
    });
    stores.push(store);
  }
  return stores;
}

/** Beside this module, under the ending that this module has: the source, the library or the bundle. */
export function workerEntry(): URL {
  return new URL(`./prepare-worker${extname(import.meta.url)}`, import.meta.url);
}
