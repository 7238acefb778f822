import { classify, type FallbackError } from '../errors/index.ts';
import type { Logger } from '../plugin/plugin.ts';
import type { Head } from '../snapshot/head.ts';
import type { SnapshotStore } from '../snapshot/snapshot-store.ts';
import { highest } from './decide.ts';
import type { StoreClock } from './store-clock.ts';

export interface LineReading {
  readonly store: SnapshotStore;
  readonly head: Head | undefined;
  readonly etag: string | undefined;
}

/** The heads of one line in all stores, read together. */
export interface LineHeads {
  readonly readings: readonly LineReading[];
  /** Stores that did not answer. */
  readonly failures: readonly { readonly store: string; readonly error: FallbackError }[];
  /** The one with the highest sequence. */
  readonly base: Head | undefined;
}

/**
 * Every reachable store's head. A store that fails is left out: which configuration is newer is decided among the
 * reachable ones, and it is levelled when it is back.
 *
 * @throws the first store's error when no store can be read
 */
export async function readLineHeads(
  stores: readonly SnapshotStore[],
  storeClock: StoreClock,
  log: Logger,
  signal: AbortSignal,
): Promise<LineHeads> {
  const settled = await Promise.all(
    stores.map(async (store) => {
      try {
        return { store, reading: await store.readHeadForUpdate({ signal }) };
      } catch (thrown) {
        return { store, error: classify(thrown, `storage ${store.id}: read the head`) };
      }
    }),
  );
  const readings: LineReading[] = [];
  const failures: { store: string; error: FallbackError }[] = [];
  for (const result of settled) {
    if (result.error !== undefined) {
      if (result.error.kind === 'aborted') throw result.error;
      failures.push({ store: result.store.id, error: result.error });
      continue;
    }
    const { store, reading } = result;
    storeClock.observe(reading.serverTime);
    if (reading.damage !== undefined) reportDamage(log, store, reading.damage);
    readings.push({ store, head: reading.head, etag: reading.etag });
  }
  if (readings.length === 0) throw failures[0]?.error ?? new TypeError('a line has at least one store');
  return {
    readings,
    failures,
    base: highest(readings.flatMap(({ head }) => (head === undefined ? [] : [head]))),
  };
}

function reportDamage(log: Logger, store: SnapshotStore, damage: FallbackError): void {
  log.error(
    { event: 'head.damaged', store: store.id, code: damage.code },
    'the stored head cannot be trusted and will be replaced by what the control plane sends',
  );
}
