import { classify, type FallbackError } from '../../errors/index.ts';
import type { Random } from '../../resilience/index.ts';
import type { GuardedStore } from '../../snapshot/guarded-store.ts';
import { StoreCounts } from '../../snapshot/store-counts.ts';
import type { Fault, Observation } from '../observation.ts';

const PREFIX = '.kongfallback-probe-';
const MAX_BYTES = 1024;
const NEEDS =
  'The exporter needs to get, put, list and delete below the prefix; `kongfallback policy --role exporter` prints the policy for S3.';

const LIES =
  'Use a store that reads what was written, at once, and keeps conditions; plugins/storage/s3/README.md tells of several.';

/** Writes one small object, reads it, lists it and deletes it, as an exporter does with snapshots. */
export async function writerRights(
  given: GuardedStore,
  { random, signal }: { readonly random: Random; readonly signal: AbortSignal },
): Promise<Observation[]> {
  const store = given.countedApart(new StoreCounts());
  const key = `${PREFIX}${Array.from({ length: 16 }, () => Math.floor(random() * 16).toString(16)).join('')}`;
  const bytes = new TextEncoder().encode('kongfallback doctor');
  const found: Observation[] = [];
  const attempt = async (code: string, severity: Fault, work: () => Promise<string | undefined>) => {
    try {
      const lie = await work();
      if (lie !== undefined)
        found.push({ severity, code, message: `storage ${store.id}: ${lie}`, hint: LIES });
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      found.push(lacking(code, severity, classify(thrown, `storage ${store.id}`)));
    }
  };
  await attempt('storage-put-fails', 'error', async () => {
    await store.put(key, bytes, { ifAbsent: true, signal });
    return undefined;
  });
  // Nothing else can be told then; but an answer that is lost, or wrong, may have left an object.
  if (found.length > 0) return found;
  await attempt('storage-get-fails', 'error', async () => {
    const read = await store.read(key, { maxBytes: MAX_BYTES, signal });
    const same = typeof read === 'object' && Buffer.from(read.bytes).equals(bytes);
    return same ? undefined : `${key} was written, and reads as something else`;
  });
  await attempt('storage-list-fails', 'error', async () => {
    for await (const info of store.list(PREFIX, { signal })) if (info.key === key) return undefined;
    return `${key} was written, and is not listed`;
  });
  // Then retention does not keep up, and nothing is lost.
  await attempt('storage-delete-fails', 'warning', async () => {
    await store.delete(key, { signal });
    return undefined;
  });
  if (found.length > 0) return found;
  const message = `storage ${store.id}: an object was written, read, listed and deleted`;
  return [{ severity: 'ok', code: 'storage-rights', message }];
}

function lacking(code: string, severity: Fault, error: FallbackError): Observation {
  const hint = error.hint ?? `See ${error.code} in src/errors/README.md.`;
  const message = `${error.message} [${error.code}]`;
  // It was for an absent object, of a name that nobody else makes.
  if (error.kind === 'conflict') {
    const why = `the creation of a new object was refused as if it were there: ${message}`;
    return { severity, code: 'storage-not-conditional', message: why, hint: LIES };
  }
  return { severity, code, message, hint: error.kind === 'denied' ? `${hint} ${NEEDS}` : hint };
}
