import { FallbackError } from '../errors/index.ts';
import type { Random } from '../resilience/index.ts';
import type { GuardedStore } from './guarded-store.ts';
import { StoreCounts } from './store-counts.ts';
import type { PutCondition } from './store-objects.ts';

export interface ProbeResult {
  /** Both conditions are kept. A probe cannot see a store that breaks them only under a race. */
  readonly conditionalPut: boolean;
  /** Why not, for the operator. */
  readonly reason?: string;
  /** Requests of the probe, which the store's own counters do not hold. */
  readonly counts: StoreCounts;
}

/**
 * Writes one small object and asks the store to refuse a second creation and a replacement of a version that is
 * gone: some stores ignore conditions without a word, some keep only one of the two, some invert them.
 *
 * @throws FallbackError what the requests end in, other than the refusals that are asked for
 */
export async function probeConditions(
  store: GuardedStore,
  options: { readonly random: Random; readonly signal: AbortSignal },
): Promise<ProbeResult> {
  const counts = new StoreCounts();
  if (store.capabilities.conditionalPut !== true) {
    return { conditionalPut: false, reason: 'the storage plugin does not claim conditional writes', counts };
  }
  const probed = store.countedApart(counts);
  const { signal } = options;
  const key = `.kongfallback-probe-${hex(options.random)}`;
  try {
    const reason = await broken(probed, key, signal);
    return { conditionalPut: reason === undefined, ...(reason !== undefined && { reason }), counts };
  } finally {
    await remove(probed, key, signal);
  }
}

async function broken(store: GuardedStore, key: string, signal: AbortSignal): Promise<string | undefined> {
  const first = await attempt(store, key, 'first', { ifAbsent: true }, signal);
  if (first === undefined) return 'the creation of a new object was refused as if it were there';
  if ((await attempt(store, key, 'again', { ifAbsent: true }, signal)) !== undefined) {
    return 'an existing object was overwritten although the write was for an absent one only';
  }
  const second = await attempt(store, key, 'second', { ifMatch: first }, signal);
  if (second === undefined) return 'the replacement of the current version was refused as if it were stale';
  if ((await attempt(store, key, 'third', { ifMatch: first }, signal)) !== undefined) {
    return 'a newer version was overwritten although the write was for the former one only';
  }
  return undefined;
}

/** The new ETag, or undefined when the condition was answered with a refusal. */
async function attempt(
  store: GuardedStore,
  key: string,
  text: string,
  condition: PutCondition,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    return (await store.put(key, new TextEncoder().encode(text), { ...condition, signal })).etag;
  } catch (error) {
    if (error instanceof FallbackError && error.kind === 'conflict') return undefined;
    throw error;
  }
}

/** A writer without the right to delete leaves 6 bytes behind; that is no reason not to export. */
async function remove(store: GuardedStore, key: string, signal: AbortSignal): Promise<void> {
  try {
    await store.delete(key, { signal });
  } catch {
    // The probe's verdict, or its error, is what the caller needs.
  }
}

function hex(random: Random): string {
  return Array.from({ length: 16 }, () => Math.floor(random() * 16).toString(16)).join('');
}
