// Step 4 of 4: sealed bytes → every store. The snapshot first, then the head by compare-and-swap: a crash at any
// point leaves the former head valid.
import { classify, FallbackError } from '../errors/index.ts';
import type { SnapshotStore } from '../snapshot/snapshot-store.ts';

export interface Publication {
  /** Key below the line, and sealed bytes; undefined when only the head changes. */
  readonly snapshot:
    | {
        readonly key: string;
        readonly bytes: Uint8Array<ArrayBuffer>;
        /** Ids of stores that have it already. */
        readonly uploaded: readonly string[];
      }
    | undefined;
  /** The signed head, identical for every store. */
  readonly head: Uint8Array<ArrayBuffer>;
}

export interface StoreToWrite {
  readonly store: SnapshotStore;
  /** Of the head that was read; undefined: there is none. */
  readonly etag: string | undefined;
  /** Brings what the head lists; the head is not written where it fails. */
  readonly level?: () => Promise<void>;
}

export interface StoreResult {
  readonly store: string;
  readonly outcome: 'written' | 'conflict' | 'failed';
  /** Of the new head, where it was written. */
  readonly etag?: string;
  readonly error?: FallbackError;
}

/** Side by side; one store's failure never holds up another. */
export function publish(
  publication: Publication,
  stores: readonly StoreToWrite[],
  signal: AbortSignal,
): Promise<StoreResult[]> {
  return Promise.all(stores.map((store) => publishTo(store, publication, signal)));
}

async function publishTo(
  { store, etag, level }: StoreToWrite,
  { snapshot, head }: Publication,
  signal: AbortSignal,
): Promise<StoreResult> {
  try {
    await level?.();
    if (snapshot !== undefined && !snapshot.uploaded.includes(store.id))
      await store.putSnapshot(snapshot.key, snapshot.bytes, { signal });
    const swapped = await store.swapHead(head, { etag, signal });
    return {
      store: store.id,
      outcome: 'written',
      etag: await confirmSwap(store, head, swapped.etag, signal),
    };
  } catch (thrown) {
    const error = classify(thrown, `storage ${store.id}: publish`);
    if (error.kind === 'aborted') throw error;
    return { store: store.id, outcome: error.kind === 'conflict' ? 'conflict' : 'failed', error };
  }
}

/**
 * Some stores keep a condition one at a time and let several writers win under a race, which no probe can see: so
 * what is there now is read back. A reading that fails decides nothing; the swap was answered with success.
 */
async function confirmSwap(
  store: SnapshotStore,
  head: Uint8Array,
  etag: string,
  signal: AbortSignal,
): Promise<string> {
  const now = await store.readHeadBytes({ signal }).catch(() => undefined);
  if (now === undefined || Buffer.from(now.bytes).equals(head)) return now?.etag ?? etag;
  throw new FallbackError(
    'conflict',
    'KF_HEAD_SWAP_UNDONE',
    `storage ${store.id}: another exporter's head replaced ours although both were written conditionally`,
    {
      hint: 'This store does not keep conditions under a race: let one exporter write to it, or use another store.',
    },
  );
}
