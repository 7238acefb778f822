import { classify } from '../errors/index.ts';
import type { Findings } from '../observe/index.ts';
import type { Logger } from '../plugin/plugin.ts';
import type { Head, SnapshotEntry } from '../snapshot/head.ts';
import { readSealed } from './level.ts';
import type { LineReading } from './line-heads.ts';

export interface BringingBack {
  readonly gatewayVersion: string;
  /** Bytes. */
  readonly maxSealedBytes: number;
  readonly findings: Findings;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const FINDING = 'snapshots-missing';

/**
 * Older snapshots that the head lists and this store does not have: the newest of them is brought from another store,
 * one in each round, so that a store that lost many is no load on the others. The current one is not looked at here.
 *
 * @param head as it stands in this very store
 */
export async function bringBack(
  { store }: LineReading,
  head: Head,
  readings: readonly LineReading[],
  { gatewayVersion, maxSealedBytes, findings, log, signal }: BringingBack,
): Promise<void> {
  const about = `${gatewayVersion} ${store.id}`;
  const there = new Set((await store.listSnapshots({ signal })).map(({ key }) => key));
  const missing = head.entries.slice(1).filter(({ key }) => !there.has(key));
  let left = missing.length;
  for (const entry of missing) {
    const bytes = await fromAnother(entry);
    if (bytes === undefined) continue;
    await store.putSnapshot(entry.key, bytes, { signal });
    log.warn(
      { event: 'snapshot.repaired', store: store.id, key: entry.key },
      `storage ${store.id}: brought back ${entry.key}`,
    );
    left--;
    break;
  }
  if (left === 0) return findings.clear(FINDING, about);
  findings.raise({
    code: FINDING,
    about,
    severity: 'warning',
    message: `storage ${store.id} lacks ${left} of the ${head.entries.length} snapshots that its head lists`,
    hint: 'What another store has is brought back, one each hour. Look for lifecycle rules of the bucket.',
  });

  async function fromAnother(entry: SnapshotEntry): Promise<Uint8Array<ArrayBuffer> | undefined> {
    for (const other of readings.filter((reading) => reading.store !== store)) {
      try {
        const bytes = await readSealed(other.store, entry, maxSealedBytes, signal);
        if (bytes !== undefined) return bytes;
      } catch (thrown) {
        const { code, message } = classify(thrown, `storage ${other.store.id}: get ${entry.key}`);
        if (signal.aborted) throw thrown;
        log.warn({ event: 'level.unread', store: other.store.id, key: entry.key, code }, message);
      }
    }
    return undefined;
  }
}
