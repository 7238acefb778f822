import type { HeadState } from '../observe/metrics-state.ts';
import { type Clock, withDeadline } from '../resilience/index.ts';
import type { Line } from '../snapshot/head.ts';
import type { Trust } from '../snapshot/keys.ts';
import { LIMITS } from '../snapshot/limits.ts';
import { headKey } from '../snapshot/object-keys.ts';
import type { LineStore } from '../snapshot/snapshot-store.ts';
import { HeadWatch, watched } from './head-watch.ts';

export interface ReadLineOptions {
  readonly trust: Trust;
  readonly clock: Clock;
  /** For each store, all tries together; milliseconds. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

/**
 * The head of a line in every store, side by side: one GetObject each, which is all that a reader may do.
 *
 * @throws FallbackError only when the signal fires
 */
export function readLine(
  line: Line,
  stores: readonly LineStore[],
  { trust, clock, deadlineMs, signal }: ReadLineOptions,
): Promise<HeadState[]> {
  const key = headKey(line.gatewayVersion);
  return Promise.all(
    stores.map(async (store) => {
      const watch = new HeadWatch(store.id, line, trust, clock);
      const read = (within: AbortSignal) =>
        watched(store, line.gatewayVersion, watch).read(key, {
          maxBytes: LIMITS.headEnvelopeBytes,
          signal: within,
        });
      try {
        await withDeadline(clock, deadlineMs, signal, `storage ${store.id}: ${key}`, read);
      } catch (thrown) {
        if (signal.aborted) throw thrown;
        watch.failed(thrown);
      }
      return watch.state();
    }),
  );
}
