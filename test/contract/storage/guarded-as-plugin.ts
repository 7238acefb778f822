import type { ObjectStore } from 'kongfallback/plugin';
import type { StorageHarness } from 'kongfallback/testing';
import { Outside, systemClock } from '../../../src/resilience/index.ts';
import { GuardedStore } from '../../../src/snapshot/guarded-store.ts';

const MAX_BYTES = 16 * 2 ** 20;

/**
 * The core's wrapper in a plugin's clothes, for the kit. An unconditional put, which it does not offer, becomes
 * what the core would do: read, then replace what was read.
 */
export function guardedAsPlugin(store: ObjectStore, harness: StorageHarness): ObjectStore {
  const guarded = new GuardedStore({
    id: 'guarded',
    store,
    prefix: 'entry/prefix',
    capabilities: harness.capabilities,
    outside: new Outside(systemClock, () => 0),
    clock: systemClock,
    timings: { retry: { attempts: 1, delayMs: 0, maxDelayMs: 0 } },
  });
  return {
    async get(key, options) {
      if (options.ifNoneMatch === undefined) return guarded.stream(key, options);
      const found = await guarded.read(key, { ...options, maxBytes: MAX_BYTES });
      if (found === undefined || found === 'not-modified') return found;
      return { etag: found.etag, body: [found.bytes] };
    },
    async put(key, body, { ifAbsent, ifMatch, signal }) {
      if (ifAbsent === true) return guarded.put(key, body, { ifAbsent, signal });
      if (ifMatch !== undefined) return guarded.put(key, body, { ifMatch, signal });
      const current = await guarded.stream(key, { signal });
      current?.discard();
      const condition = current === undefined ? { ifAbsent: true as const } : { ifMatch: current.etag };
      return guarded.put(key, body, { ...condition, signal });
    },
    list: (prefix, options) => guarded.list(prefix, options),
    delete: (key, options) => guarded.delete(key, options),
    close: () => guarded.close({ signal: new AbortController().signal }),
  };
}
