import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { classify, FallbackError } from '../errors/index.ts';
import { SnapshotCache } from '../restore/cache.ts';
import { fetchSealed } from '../restore/fetch.ts';
import { openDocument } from '../restore/open.ts';
import { readPieces } from '../restore/read-pieces.ts';
import { checkUsable } from '../restore/usable.ts';
import type { Line, SnapshotEntry } from '../snapshot/head.ts';
import { SnapshotStore } from '../snapshot/snapshot-store.ts';
import { Part } from './parts.ts';
import type { Get } from './tokens.ts';

export interface ListedSnapshot {
  readonly line: Line;
  readonly entry: SnapshotEntry;
  /** The head that lists it is signed by a trusted key. */
  readonly authenticated: boolean;
}

/**
 * One listed snapshot from whichever store has it whole, as the document's own bytes, verified to the last one before
 * that is given out. Sealed bytes pass through a private folder that is gone afterwards.
 *
 * @throws FallbackError what the stores, the encryptions and the checks of a restore throw
 */
export async function* openSnapshot(
  get: Get,
  { line, entry, authenticated }: ListedSnapshot,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const [clock, trust, guarded] = [get(Part.clock), get(Part.trust), await get(Part.stores)];
  checkUsable(entry, get(Part.settings).settings.limits);
  const directory = await mkdtemp(join(tmpdir(), 'kongfallback-open-')).catch((thrown: unknown) => {
    throw noRoom(thrown);
  });
  try {
    const cache = new SnapshotCache(directory, line, clock, directory);
    await cache.prepare();
    const stores = guarded.map((store) => new SnapshotStore(store, { ...line, trust }));
    const { gatewayVersion } = line;
    const found = await fetchSealed(entry, stores, { signal, gatewayVersion, cache, onRequest: () => {} });
    if (found.path === undefined) throw found.failures[0]?.error ?? nowhere(entry);
    const sealing = await get(Part.sealing);
    yield* openDocument(readPieces(found.path), { line, entry, sealing, authenticated, signal });
  } catch (thrown) {
    throw classify(thrown, `gateway ${line.gatewayVersion}: open sequence ${entry.sequence}`);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const noRoom = (cause: unknown): FallbackError =>
  new FallbackError(
    'unavailable',
    'KF_CACHE_UNWRITABLE',
    `cannot make a folder below ${tmpdir()}: ${cause instanceof Error ? cause.message : String(cause)}`,
    { cause, hint: 'It needs room for one sealed snapshot there; TMPDIR names another folder.' },
  );

const nowhere = ({ key }: SnapshotEntry): FallbackError =>
  new FallbackError('corrupt', 'KF_SNAPSHOT_MISSING', `no storage has ${key}, although the head lists it`, {
    hint: 'Something removes objects from the storage: check its lifecycle rules.',
  });
