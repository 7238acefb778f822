import { classify, type FallbackError } from '../errors/index.ts';
import type { Clock, Logger } from '../plugin/plugin.ts';
import type { Head } from '../snapshot/head.ts';
import type { SnapshotStore } from '../snapshot/snapshot-store.ts';
import { highest } from './decide.ts';
import type { StoreResult } from './publish.ts';
import type { StoreClock } from './store-clock.ts';

export interface LineReading {
  readonly store: SnapshotStore;
  readonly head: Head | undefined;
  readonly etag: string | undefined;
}

/** The heads of one line in all stores, read together. */
export class LineHeads {
  readonly readings: readonly LineReading[];
  /** Stores that did not answer. */
  readonly failures: readonly { readonly store: string; readonly error: FallbackError }[];
  /** The one with the highest sequence. */
  readonly base: Head | undefined;

  constructor(readings: LineHeads['readings'], failures: LineHeads['failures']) {
    this.readings = readings;
    this.failures = failures;
    this.base = highest(readings.flatMap(({ head }) => (head === undefined ? [] : [head])));
  }

  /** What is known after a head was written, without reading again. */
  after(head: Head, results: readonly StoreResult[]): LineHeads {
    const byStore = new Map(results.map((result) => [result.store, result]));
    const readings = this.readings.map((reading) => {
      const result = byStore.get(reading.store.id);
      return result?.outcome === 'written' ? { store: reading.store, head, etag: result.etag } : reading;
    });
    return new LineHeads(readings, this.failures);
  }
}

export interface ReadingDependencies {
  readonly clock: Clock;
  readonly storeClock: StoreClock;
  readonly log: Logger;
}

/**
 * Every reachable store's head. A store that fails is left out: which configuration is newer is decided among the
 * reachable ones, and it is levelled when it is back.
 *
 * @throws the first store's error when no store can be read
 */
export async function readLineHeads(
  stores: readonly SnapshotStore[],
  { clock, storeClock, log }: ReadingDependencies,
  signal: AbortSignal,
): Promise<LineHeads> {
  const readings: LineReading[] = [];
  const failures: { store: string; error: FallbackError }[] = [];
  const asked = stores.map(async (store) => {
    const askedAt = clock.monotonic();
    try {
      const { head, etag, serverTime, damage } = await store.readHeadForUpdate({ signal });
      if (etag !== undefined) storeClock.observe(serverTime, askedAt, store.id);
      if (damage !== undefined) reportDamage(log, store, damage);
      return { store, head, etag };
    } catch (thrown) {
      return classify(thrown, `storage ${store.id}: read the head`);
    }
  });
  for (const [index, answer] of (await Promise.all(asked)).entries()) {
    if ('store' in answer) readings.push(answer);
    else if (answer.kind === 'aborted') throw answer;
    else failures.push({ store: stores[index]?.id ?? '', error: answer });
  }
  if (readings.length === 0) throw failures[0]?.error ?? new TypeError('a line has at least one store');
  return new LineHeads(readings, failures);
}

function reportDamage(log: Logger, store: SnapshotStore, damage: FallbackError): void {
  log.error(
    { event: 'head.damaged', store: store.id, code: damage.code },
    'the stored head cannot be trusted and will be replaced by what the control plane sends',
  );
}
