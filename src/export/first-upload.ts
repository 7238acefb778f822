import { classify, type FallbackError } from '../errors/index.ts';
import type { Clock } from '../plugin/plugin.ts';
import type { SnapshotEntry } from '../snapshot/head.ts';
import type { LineReading } from './line-heads.ts';
import type { StoreClock } from './store-clock.ts';

/**
 * A missing head tells no time, and by our own clock the first head might be twenty minutes off: younger than every
 * configuration to come, or numbered below what readers have seen. So the first snapshot goes up before its head is
 * made; where that was answered without a time, it is asked for.
 *
 * @returns ids of the stores that have the snapshot now
 * @throws FallbackError a store's, when none told its time and so one might have
 */
export async function uploadForTime(
  entry: Omit<SnapshotEntry, 'sequence'>,
  bytes: Uint8Array<ArrayBuffer>,
  stores: readonly LineReading[],
  { clock, storeClock }: { readonly clock: Clock; readonly storeClock: StoreClock },
  signal: AbortSignal,
): Promise<readonly string[]> {
  const uploaded: string[] = [];
  let failure: FallbackError | undefined;
  for (const { store } of stores) {
    try {
      const putAt = clock.monotonic();
      const { serverTime } = await store.putSnapshot(entry.key, bytes, { signal });
      uploaded.push(store.id);
      if (serverTime !== undefined) storeClock.observe(serverTime, putAt, store.id);
      if (storeClock.isTold) return uploaded;
      const getAt = clock.monotonic();
      const found = await store.streamSnapshot({ ...entry, sequence: 0 }, { signal });
      if (found === undefined) continue;
      storeClock.observe(found.serverTime, getAt, store.id);
      found.discard();
    } catch (thrown) {
      const error = classify(thrown, `storage ${store.id}: put ${entry.key}`);
      if (error.kind === 'aborted') throw error;
      failure ??= error;
    }
    if (storeClock.isTold) return uploaded;
  }
  if (failure !== undefined) throw failure;
  return uploaded;
}
