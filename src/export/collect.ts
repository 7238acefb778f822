import { classify } from '../errors/index.ts';
import type { Logger } from '../plugin/plugin.ts';
import type { Head } from '../snapshot/head.ts';
import type { SnapshotStore } from '../snapshot/snapshot-store.ts';

/**
 * A reader that holds an older head may still be fetching what it lists; and a snapshot that no head lists yet may be
 * another exporter's, half-way through publishing. After a day neither is so.
 */
const GRACE_MS = 86_400_000;

export interface CollectOptions {
  /** By the store's clock, milliseconds since 1970. */
  readonly now: number;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * Deletes snapshots that the head stopped listing a day ago, and orphans that are older than a day: uploads whose head
 * was never written. What the head lists is never deleted.
 *
 * @param head as it stands in this very store
 * @returns the keys that were deleted
 */
export async function collect(store: SnapshotStore, head: Head, options: CollectOptions): Promise<string[]> {
  const { now, signal } = options;
  const listed = new Set(head.entries.map(({ key }) => key));
  const delistedAt = new Map(head.delisted.map(({ key, since }) => [key, Date.parse(since)]));
  const deleted: string[] = [];
  for (const { key, modifiedAt } of await store.listSnapshots({ signal })) {
    if (listed.has(key)) continue;
    // A store that does not tell ages keeps its orphans: deleting by guess is worse than a few stray objects.
    const since = delistedAt.get(key) ?? modifiedAt?.getTime();
    if (since === undefined || now - since < GRACE_MS) continue;
    await store.deleteSnapshot(key, { signal });
    deleted.push(key);
  }
  if (deleted.length > 0) {
    const fields = { event: 'retention.deleted', store: store.id, snapshots: deleted.length };
    options.log.info(fields, `storage ${store.id}: deleted snapshots that are no longer listed`);
  }
  return deleted;
}

/** Never throws but for an abort: retention can wait. */
export async function collectQuietly(
  store: SnapshotStore,
  head: Head,
  options: CollectOptions,
): Promise<void> {
  try {
    await collect(store, head, options);
  } catch (thrown) {
    const error = classify(thrown, `storage ${store.id}: retention`);
    if (error.kind === 'aborted') throw error;
    options.log.warn({ event: 'retention.failed', store: store.id, code: error.code }, error.message);
  }
}
