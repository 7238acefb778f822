import type { Random } from '../../resilience/index.ts';
import type { GuardedStore } from '../../snapshot/guarded-store.ts';
import { probeConditions } from '../../snapshot/store-probe.ts';
import type { Observation } from '../observation.ts';

/**
 * Of the exporter: two of them must not overwrite each other.
 *
 * @param singleWriter the operator's word that there is one exporter only
 * @throws what the store answers; why it cannot be written is another check's
 */
export async function conditionalWrites(
  store: GuardedStore,
  singleWriter: boolean,
  options: { readonly random: Random; readonly signal: AbortSignal },
): Promise<Observation[]> {
  const { conditionalPut, reason } = await probeConditions(store, options);
  if (conditionalPut) {
    return [
      {
        severity: 'ok',
        code: 'storage-conditional',
        message: `storage ${store.id} keeps conditions of writes`,
      },
    ];
  }
  if (singleWriter) {
    const message = `storage ${store.id} keeps no conditions, and singleWriter vouches for one exporter only`;
    return [{ severity: 'ok', code: 'storage-single-writer', message }];
  }
  return [
    {
      severity: 'error',
      code: 'storage-not-conditional',
      message: `storage ${store.id} does not keep conditions of writes: ${reason}`,
      hint: 'Use a store that does, or set singleWriter: true on it and make sure that only one exporter ever writes.',
    },
  ];
}
