import { classify, FallbackError } from '../errors/index.ts';
import { type Clock, withDeadline } from '../resilience/index.ts';
import { headKey } from '../snapshot/object-keys.ts';
import type { HeadReading, SnapshotStore } from '../snapshot/snapshot-store.ts';

/** The head of one line in one store, verified; or why there is none. */
export type StoreHead =
  | { readonly store: string; readonly reading: HeadReading; readonly error?: undefined }
  | { readonly store: string; readonly reading?: undefined; readonly error: FallbackError };

export interface ReadHeadsOptions {
  readonly gatewayVersion: string;
  readonly clock: Clock;
  /** For each store, all tries together; milliseconds. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

/**
 * Side by side, one GetObject each.
 *
 * @throws FallbackError only when the signal fires
 */
export function readHeads(
  stores: readonly SnapshotStore[],
  { gatewayVersion, clock, deadlineMs, signal }: ReadHeadsOptions,
): Promise<readonly StoreHead[]> {
  return Promise.all(
    stores.map(async (store): Promise<StoreHead> => {
      const where = `storage ${store.id}: ${headKey(gatewayVersion)}`;
      try {
        const reading = await withDeadline(clock, deadlineMs, signal, where, (inner) =>
          store.readHead({ signal: inner }),
        );
        return reading === undefined
          ? { store: store.id, error: missing(where) }
          : { store: store.id, reading };
      } catch (thrown) {
        if (signal.aborted) throw thrown;
        return { store: store.id, error: classify(thrown, where) };
      }
    }),
  );
}

/** The one that a new data plane would take. */
export function newestHead(
  heads: readonly StoreHead[],
): (HeadReading & { readonly store: string }) | undefined {
  const [best] = heads
    .flatMap(({ store, reading }) => (reading === undefined ? [] : [{ ...reading, store }]))
    .sort((a, b) => b.head.sequence - a.head.sequence);
  return best;
}

const missing = (where: string): FallbackError =>
  new FallbackError('unavailable', 'KF_HEAD_MISSING', `${where}: there is no head`, {
    hint: "Nothing was exported for this gateway version, or `bucket`, `path` or `prefix` is another one than the exporter's.",
  });
