// Step 4 of 4: sealed bytes → every store. The snapshot first, then the head by compare-and-swap: a crash at any
// point leaves the former head valid.
import { classify, type FallbackError } from '../errors/index.ts';
import type { SnapshotStore } from '../snapshot/snapshot-store.ts';

export interface Publication {
  /** Key below the line, and sealed bytes; undefined when only the head changes. */
  readonly snapshot: { readonly key: string; readonly bytes: Uint8Array<ArrayBuffer> } | undefined;
  /** The signed head, identical for every store. */
  readonly head: Uint8Array<ArrayBuffer>;
}

export interface StoreReading {
  readonly store: SnapshotStore;
  /** Of the head that was read; undefined: there is none. */
  readonly etag: string | undefined;
}

export interface StoreResult {
  readonly store: string;
  readonly outcome: 'written' | 'conflict' | 'failed';
  readonly error?: FallbackError;
}

/** Side by side; one store's failure never holds up another. */
export function publish(
  publication: Publication,
  readings: readonly StoreReading[],
  signal: AbortSignal,
): Promise<StoreResult[]> {
  return Promise.all(readings.map((reading) => publishTo(reading, publication, signal)));
}

async function publishTo(
  reading: StoreReading,
  publication: Publication,
  signal: AbortSignal,
): Promise<StoreResult> {
  const { store, etag } = reading;
  try {
    const { snapshot, head } = publication;
    if (snapshot !== undefined) await store.putSnapshot(snapshot.key, snapshot.bytes, { signal });
    await store.swapHead(head, { etag, signal });
    return { store: store.id, outcome: 'written' };
  } catch (thrown) {
    const error = classify(thrown, `storage ${store.id}: publish`);
    if (error.kind === 'aborted') throw error;
    return { store: store.id, outcome: error.kind === 'conflict' ? 'conflict' : 'failed', error };
  }
}
