// Step 2 of 3: an entry → its sealed bytes, whole and checked, in the cache.
import { codeOf, FallbackError, kindOf } from '../errors/index.ts';
import type { SnapshotEntry } from '../snapshot/head.ts';
import { lineKey } from '../snapshot/object-keys.ts';
import type { SnapshotStore } from '../snapshot/snapshot-store.ts';
import type { SnapshotCache } from './cache.ts';
import { failure, type RestoreFailure } from './failure.ts';

export interface FetchOptions {
  readonly signal: AbortSignal;
  readonly gatewayVersion: string;
  readonly cache: SnapshotCache;
  /** Called before each request to a store. */
  readonly onRequest: () => void;
}

export type Fetched =
  | { readonly path: string; readonly failures: readonly RestoreFailure[] }
  | { readonly path: undefined; readonly failures: readonly RestoreFailure[] };

/** For a snapshot that arrives damaged, before an older one is taken for it. */
const ATTEMPTS = 2;

/**
 * From the cache where it is there already, else from the first store that has it whole.
 *
 * @param stores in the order to try
 * @throws FallbackError `unavailable` KF_CACHE_UNWRITABLE when there is no room anywhere; the signal's abort
 */
export async function fetchSealed(
  entry: SnapshotEntry,
  stores: readonly SnapshotStore[],
  options: FetchOptions,
): Promise<Fetched> {
  const failures: RestoreFailure[] = [];
  const cached = await options.cache.find(entry);
  if (cached !== undefined) return { path: cached, failures };
  for (const store of stores) {
    for (let attempt = 1; ; attempt++) {
      try {
        return { path: await fetchFrom(store, entry, options), failures };
      } catch (thrown) {
        if (codeOf(thrown) === 'KF_CACHE_UNWRITABLE') throw thrown;
        const failed = failure('storage', store.id, lineKey(options.gatewayVersion, entry.key), thrown);
        // Damage may be of this one transfer: a body cut short with a clean end looks like it.
        if (codeOf(thrown) === 'KF_SNAPSHOT_CORRUPT' && attempt < ATTEMPTS) continue;
        failures.push(failed);
        break;
      }
    }
  }
  return { path: undefined, failures };
}

async function fetchFrom(store: SnapshotStore, entry: SnapshotEntry, options: FetchOptions): Promise<string> {
  const { cache, onRequest, signal } = options;
  for (;;) {
    onRequest();
    const found = await store.streamSnapshot(entry, { signal }).catch((thrown: unknown) => {
      throw kindOf(thrown) === 'denied' ? missing(thrown) : thrown;
    });
    if (found === undefined) throw missing();
    try {
      return await cache.keep(entry, found.body);
    } catch (thrown) {
      found.discard();
      // A full or broken disk: once more, to the temporary folder.
      if (codeOf(thrown) !== 'KF_CACHE_UNWRITABLE' || !cache.giveUp(thrown)) throw thrown;
    }
  }
}

/**
 * A store that gave the head and denies what it lists has most likely lost it: without the right to list, a missing
 * object is a 403 (design D3). So the next older snapshot is tried, as for one that is plainly gone. Whoever reports it
 * puts the key in front.
 */
function missing(denied?: unknown): FallbackError {
  return new FallbackError(
    'corrupt',
    'KF_SNAPSHOT_MISSING',
    denied === undefined
      ? 'it is not there, although the head lists it'
      : 'it is not there or may not be read, although the head lists it and could be read',
    {
      cause: denied,
      hint: 'Something removes objects from the storage: check its lifecycle rules; only the exporter may delete here.',
    },
  );
}
