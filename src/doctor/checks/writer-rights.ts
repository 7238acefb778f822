import { classify, type FallbackError } from '../../errors/index.ts';
import type { Random } from '../../resilience/index.ts';
import type { GuardedStore } from '../../snapshot/guarded-store.ts';
import { StoreCounts } from '../../snapshot/store-counts.ts';
import type { Fault, Observation } from '../observation.ts';

const PREFIX = '.kongfallback-probe-';
const MAX_BYTES = 1024;
const NEEDS =
  'The exporter needs to get, put, list and delete below the prefix; `kongfallback policy --role exporter` prints the policy for S3.';

/** Writes one small object, reads it, lists it and deletes it, as an exporter does with snapshots. */
export async function writerRights(
  given: GuardedStore,
  { random, signal }: { readonly random: Random; readonly signal: AbortSignal },
): Promise<Observation[]> {
  const store = given.countedApart(new StoreCounts());
  const key = `${PREFIX}${Array.from({ length: 16 }, () => Math.floor(random() * 16).toString(16)).join('')}`;
  const failed: Observation[] = [];
  const attempt = async (code: string, severity: Fault, work: () => Promise<unknown>): Promise<boolean> => {
    try {
      await work();
      return true;
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      failed.push(lacking(code, severity, classify(thrown, `storage ${store.id}`)));
      return false;
    }
  };
  const written = await attempt('storage-put-fails', 'error', () =>
    store.put(key, new TextEncoder().encode('kongfallback doctor'), { ifAbsent: true, signal }),
  );
  if (!written) return failed;
  await attempt('storage-get-fails', 'error', () => store.read(key, { maxBytes: MAX_BYTES, signal }));
  await attempt('storage-list-fails', 'error', async () => {
    for await (const _ of store.list(PREFIX, { signal }));
  });
  // Then retention does not keep up, and nothing is lost.
  await attempt('storage-delete-fails', 'warning', () => store.delete(key, { signal }));
  if (failed.length > 0) return failed;
  const message = `storage ${store.id}: an object was written, read, listed and deleted`;
  return [{ severity: 'ok', code: 'storage-rights', message }];
}

function lacking(code: string, severity: Fault, error: FallbackError): Observation {
  const denied = error.kind === 'denied' ? ` ${NEEDS}` : '';
  return {
    severity,
    code,
    message: `${error.message} [${error.code}]`,
    hint: `${error.hint ?? `See ${error.code} in src/errors/README.md.`}${denied}`,
  };
}
