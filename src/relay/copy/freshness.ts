import type { Head, SnapshotEntry } from '../../snapshot/head.ts';

/** Whether the frame made of one is that of the other. */
export function isSameSnapshot(a: SnapshotEntry, b: SnapshotEntry): boolean {
  // The key holds the digests of the document and of its sealed bytes.
  return (
    a.key === b.key && a.configHash === b.configHash && JSON.stringify(a.hashes) === JSON.stringify(b.hashes)
  );
}

/**
 * Hashes of what data planes may be brought away from to `used`: what the head lists below it, and what a rollback
 * rejects. Never one that the head lists above: a data plane with that one is ahead of what we hold.
 */
export function olderHashes(head: Head, used: SnapshotEntry): ReadonlySet<string> {
  const at = head.entries.findIndex(({ key }) => key === used.key);
  const rejected = new Set(head.hold?.rejected.map(({ configHash }) => configHash));
  const older = new Set([...rejected, ...head.entries.slice(at + 1).map(({ configHash }) => configHash)]);
  older.delete(used.configHash);
  for (const { configHash } of head.entries.slice(0, Math.max(0, at))) {
    if (!rejected.has(configHash)) older.delete(configHash);
  }
  return new Set([...older].filter((hash) => hash !== null));
}
