import { createHash } from 'node:crypto';
import { classify } from '../errors/index.ts';
import type { Logger } from '../plugin/plugin.ts';
import type { Head, SnapshotEntry } from '../snapshot/head.ts';
import type { SnapshotStore } from '../snapshot/snapshot-store.ts';
import { currentEntry } from './decide.ts';
import type { LineReading } from './line-heads.ts';

export interface Levelling {
  readonly base: Head;
  readonly readings: readonly LineReading[];
  readonly maxSealedBytes: number;
  readonly log: Logger;
}

/**
 * Brings the snapshots of `base` into stores that were away or emptied, so that its head may be written there: the
 * current one must arrive, older ones are carried along as far as they can be.
 *
 * @returns the readings whose store holds the current snapshot now
 */
export async function level(levelling: Levelling, signal: AbortSignal): Promise<readonly LineReading[]> {
  const { base, readings } = levelling;
  const key = currentEntry(base).key;
  const holders = readings.filter(({ head }) => head?.entries.some((entry) => entry.key === key));
  const levelled: LineReading[] = [...holders];
  for (const reading of readings) {
    if (holders.includes(reading)) continue;
    if (await bring(reading.store, holders, levelling, signal)) levelled.push(reading);
  }
  return levelled;
}

async function bring(
  to: SnapshotStore,
  holders: readonly LineReading[],
  { base, maxSealedBytes, log }: Levelling,
  signal: AbortSignal,
): Promise<boolean> {
  let copied = 0;
  for (const [index, entry] of base.entries.entries()) {
    const ok = await copyOne(entry, to, holders, maxSealedBytes, signal).catch((thrown: unknown) => {
      const error = classify(thrown, `storage ${to.id}: level ${entry.key}`);
      if (error.kind === 'aborted') throw error;
      log.warn({ event: 'level.failed', store: to.id, key: entry.key, code: error.code }, error.message);
      return false;
    });
    if (ok) copied++;
    else if (index === 0) return false;
  }
  log.info(
    { event: 'level.done', store: to.id, snapshots: copied },
    `storage ${to.id} has the snapshots it lacked`,
  );
  return true;
}

async function copyOne(
  entry: SnapshotEntry,
  to: SnapshotStore,
  holders: readonly LineReading[],
  maxSealedBytes: number,
  signal: AbortSignal,
): Promise<boolean> {
  for (const { store } of holders) {
    const bytes = await readSealed(store, entry, maxSealedBytes, signal).catch((thrown: unknown) => {
      const error = classify(thrown, `storage ${store.id}: get ${entry.key}`);
      if (error.kind === 'aborted') throw error;
      return undefined;
    });
    if (bytes === undefined) continue;
    await to.putSnapshot(entry.key, bytes, { signal });
    return true;
  }
  return false;
}

/** Sealed bytes of an entry, whole and as the head says; undefined where they are missing or damaged. */
export async function readSealed(
  store: SnapshotStore,
  entry: SnapshotEntry,
  maxSealedBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (entry.sealed.length > maxSealedBytes) return undefined;
  const found = await store.streamSnapshot(entry, { signal });
  if (found === undefined) return undefined;
  const pieces: Uint8Array[] = [];
  for await (const piece of found.body) pieces.push(piece);
  const bytes = new Uint8Array(Buffer.concat(pieces));
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return bytes.length === entry.sealed.length && sha256 === entry.sealed.sha256 ? bytes : undefined;
}
