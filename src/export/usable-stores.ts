import { FallbackError } from '../errors/index.ts';
import type { Logger } from '../plugin/plugin.ts';
import type { Random } from '../resilience/index.ts';
import type { GuardedStore } from '../snapshot/guarded-store.ts';
import { probeConditions } from '../snapshot/store-probe.ts';

export interface StoreToProbe {
  readonly store: GuardedStore;
  readonly singleWriter: boolean;
}

/**
 * The stores as an exporter may use them: each is asked at start-up whether it keeps the conditions of conditional
 * writes, because some ignore them without a word and two exporters would overwrite each other. One that does not is
 * accepted with `singleWriter: true` only. A store that cannot be reached now is taken as it claims to be: its
 * failure shows again where it matters.
 *
 * @throws FallbackError `invalid` KF_STORE_UNCONDITIONAL
 */
export async function usableStores(
  stores: readonly StoreToProbe[],
  random: Random,
  log: Logger,
  signal: AbortSignal,
): Promise<readonly GuardedStore[]> {
  return Promise.all(stores.map((entry) => usable(entry, random, log, signal)));
}

async function usable(
  { store, singleWriter }: StoreToProbe,
  random: Random,
  log: Logger,
  signal: AbortSignal,
): Promise<GuardedStore> {
  let reason: string | undefined;
  try {
    ({ reason } = await probeConditions(store, { random, signal }));
  } catch (thrown) {
    const { kind, code, message } = thrown as FallbackError;
    if (kind === 'aborted') throw thrown;
    log.warn({ event: 'store.probe-failed', store: store.id, code }, message);
    return store;
  }
  if (reason === undefined) return store;
  if (!singleWriter) {
    throw new FallbackError(
      'invalid',
      'KF_STORE_UNCONDITIONAL',
      `storage ${store.id} does not keep conditional writes: ${reason}`,
      {
        hint: 'Use another store, or set `singleWriter: true` for it and make sure that only one exporter writes there.',
      },
    );
  }
  log.warn(
    { event: 'store.single-writer', store: store.id, reason },
    'exactly one exporter may write to this storage',
  );
  return store.withoutConditions();
}
