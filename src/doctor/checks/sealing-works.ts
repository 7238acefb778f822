import type { Sealing } from '../../snapshot/sealing.ts';
import type { Observation } from '../observation.ts';

/**
 * Of the exporter: every key seals. Nothing is opened, since an exporter may be unable to, by design.
 *
 * @throws what a key service answers, classified
 */
export async function sealingWorks(sealing: Sealing, signal: AbortSignal): Promise<Observation[]> {
  const { encryption, keys } = await sealing.present(new TextEncoder().encode('kongfallback doctor'), {
    signal,
  });
  const ids = keys.map(({ keyId, plugin }) => `${plugin} ${keyId}`).join(', ');
  const message =
    keys.length === 0 ? `snapshots are sealed with ${encryption}` : `snapshots are sealed for ${ids}`;
  return [{ severity: 'ok', code: 'encryption-seals', message }];
}
