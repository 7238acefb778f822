import type { SnapshotEntry } from '../snapshot/head.ts';
import { selectSnapshot } from '../snapshot/select-snapshot.ts';
import type { HeadReading } from '../snapshot/snapshot-store.ts';
import { chosenVersion, readNewestHead } from './history.ts';
import { type ListedSnapshot, openSnapshot } from './open-snapshot.ts';
import { Part } from './parts.ts';
import type { Get } from './tokens.ts';

export interface ShownSnapshot {
  readonly listed: ListedSnapshot;
  readonly head: HeadReading['head'];
  readonly store: string;
  readonly entry: SnapshotEntry;
  /** The document's own bytes, verified before the last one. */
  readonly open: (signal: AbortSignal) => AsyncGenerator<Uint8Array, void, undefined>;
}

/** @throws FallbackError `invalid` KF_USAGE, KF_SNAPSHOT_UNKNOWN, KF_SNAPSHOT_AMBIGUOUS; what reading a head throws */
export async function findListed(
  get: Get,
  selector: string,
  chosen: string | undefined,
  signal: AbortSignal,
): Promise<ShownSnapshot> {
  const gatewayVersion = chosenVersion(get, chosen);
  const { cluster } = get(Part.settings).settings;
  const { head, authenticated, store } = await readNewestHead(get, gatewayVersion, signal);
  const entry = selectSnapshot(head, selector, `gateway ${gatewayVersion}`);
  const listed = { line: { cluster, gatewayVersion }, entry, authenticated };
  return { listed, head, store, entry, open: (within) => openSnapshot(get, listed, within) };
}
