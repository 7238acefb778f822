import type { ServiceStore } from '../observe/metrics-state.ts';
import type { Breaker } from '../resilience/index.ts';
import type { GuardedStore } from '../snapshot/guarded-store.ts';

/** @param breakers by id of the store */
export function storeStates(
  stores: readonly GuardedStore[],
  breakers: ReadonlyMap<string, Breaker>,
): ServiceStore[] {
  return stores.map(({ id, counts }) => {
    const { get, put, list, delete: deleted, bytesUp, bytesDown } = counts;
    return {
      store: id,
      breaker: breakers.get(id)?.state ?? 'closed',
      requests: { get, put, list, delete: deleted },
      bytesUp,
      bytesDown,
    };
  });
}
