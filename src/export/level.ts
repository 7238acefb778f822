import { createHash } from 'node:crypto';
import { classify, FallbackError } from '../errors/index.ts';
import type { Logger } from '../plugin/plugin.ts';
import type { SnapshotEntry } from '../snapshot/head.ts';
import type { SnapshotStore } from '../snapshot/snapshot-store.ts';
import type { LineHeads, LineReading } from './line-heads.ts';
import type { StoreToWrite } from './publish.ts';

export interface Levelling {
  /** What the new head lists besides a snapshot that is uploaded with it. */
  readonly entries: readonly SnapshotEntry[];
  /** Without this one of them the store gets no head. */
  readonly neededKey?: string;
  readonly maxSealedBytes: number;
  readonly log: Logger;
  /** Told when no store has the needed one, although a head lists it. */
  readonly onLost: (key: string) => void;
}

/** Where the new head goes: stores that were away or emptied get what it lists before they get it. */
export function levelled(
  { base, readings }: LineHeads,
  levelling: Levelling,
  signal: AbortSignal,
): readonly StoreToWrite[] {
  return readings.map((reading) => {
    if (reading.head?.nonce === base?.nonce) return reading;
    return { ...reading, level: () => level(reading, readings, levelling, signal) };
  });
}

/**
 * Brings to a store that was away or emptied what the new head lists and its own does not: a head names nothing that
 * is not there. An older snapshot that no store gives, or that this one does not take, is left out: the configuration
 * of today matters more.
 *
 * @throws FallbackError when the needed one did not arrive, or this store is `unavailable`
 */
async function level(
  to: LineReading,
  from: readonly LineReading[],
  levelling: Levelling,
  signal: AbortSignal,
): Promise<void> {
  const { entries, neededKey, log, onLost } = levelling;
  const lacking = entries.filter(({ key }) => !lists(to, key));
  let copied = 0;
  for (const entry of lacking) {
    try {
      if (await copyOne(entry, to, from, levelling, signal)) copied++;
      else if (entry.key === neededKey) {
        onLost(neededKey);
        throw nowhere(to.store, entry);
      }
    } catch (thrown) {
      const error = classify(thrown, `storage ${to.store.id}: level ${entry.key}`);
      if (error.kind === 'aborted' || entry.key === neededKey) throw error;
      // It is tried again soon, and would hold up this publication by its deadline for each of them.
      if (error.kind === 'unavailable') throw error;
      const fields = { event: 'level.failed', store: to.store.id, key: entry.key, code: error.code };
      log.warn(fields, error.message);
    }
  }
  if (copied === 0) return;
  log.info(
    { event: 'level.done', store: to.store.id, snapshots: copied },
    `storage ${to.store.id} has the snapshots it lacked`,
  );
}

const lists = ({ head }: LineReading, key: string): boolean =>
  head?.entries.some((entry) => entry.key === key) ?? false;

async function copyOne(
  entry: SnapshotEntry,
  to: LineReading,
  from: readonly LineReading[],
  { maxSealedBytes, log }: Levelling,
  signal: AbortSignal,
): Promise<boolean> {
  for (const { store } of from.filter((reading) => lists(reading, entry.key))) {
    const bytes = await readSealed(store, entry, maxSealedBytes, signal).catch((thrown: unknown) => {
      const error = classify(thrown, `storage ${store.id}: get ${entry.key}`);
      if (error.kind === 'aborted') throw error;
      const fields = { event: 'level.unread', store: store.id, key: entry.key, code: error.code };
      log.warn(fields, error.message);
      return undefined;
    });
    if (bytes === undefined) continue;
    await to.store.putSnapshot(entry.key, bytes, { signal });
    return true;
  }
  return false;
}

const nowhere = (store: SnapshotStore, { key }: SnapshotEntry): FallbackError =>
  new FallbackError(
    'corrupt',
    'KF_SNAPSHOT_MISSING',
    `storage ${store.id}: no other store has ${key}, which the head lists`,
    { hint: 'It is published anew when it is found missing; look for lifecycle rules of the buckets.' },
  );

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
