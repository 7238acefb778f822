import type { SnapshotEntry } from '../snapshot/head.ts';
import { selectSnapshot } from '../snapshot/select-snapshot.ts';
import { diffInWorker } from '../status/diff-worker.ts';
import type { DiffOptions, SnapshotDiff } from '../status/snapshot-diff.ts';
import { workerEntry } from './common-parts.ts';
import { chosenVersion, readNewestHead } from './history.ts';
import { type ListedSnapshot, openSnapshot } from './open-snapshot.ts';
import { Part } from './parts.ts';
import type { Get } from './tokens.ts';

export interface DiffedSnapshots {
  readonly gatewayVersion: string;
  readonly from: SnapshotEntry;
  readonly to: SnapshotEntry;
  readonly diff: SnapshotDiff;
}

/** Past this the thread that compares is ended, as the one that prepares a document is. */
const DEADLINE_MS = 300_000;

/** @throws FallbackError `invalid` KF_USAGE and what selecting throws; what opening and comparing throw */
export async function diffSnapshots(
  get: Get,
  selectors: { readonly from: string; readonly to: string; readonly gatewayVersion: string | undefined },
  options: DiffOptions & { readonly signal: AbortSignal },
): Promise<DiffedSnapshots> {
  const { signal, ...rest } = options;
  const gatewayVersion = chosenVersion(get, selectors.gatewayVersion);
  const { cluster, limits } = get(Part.settings).settings;
  const { head, authenticated } = await readNewestHead(get, gatewayVersion, signal);
  const where = `gateway ${gatewayVersion}`;
  const [from, to] = [
    selectSnapshot(head, selectors.from, where),
    selectSnapshot(head, selectors.to, where),
  ] as const;
  const whole = (entry: SnapshotEntry) =>
    collected(get, { line: { cluster, gatewayVersion }, entry, authenticated }, signal);
  const { maxDocumentBytes } = limits;
  const job = {
    form: 'diff',
    from: await whole(from),
    to: await whole(to),
    maxDocumentBytes,
    ...rest,
  } as const;
  const clock = get(Part.clock);
  const diff = await diffInWorker(job, { entryUrl: workerEntry(), clock, deadlineMs: DEADLINE_MS, signal });
  return { gatewayVersion, from, to, diff };
}

/** In a buffer of its own; its length was checked against `limits.maxDocumentBytes`, and nothing is allocated by it. */
async function collected(
  get: Get,
  snapshot: ListedSnapshot,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  for await (const piece of openSnapshot(get, snapshot, signal)) pieces.push(piece);
  return new Uint8Array(Buffer.concat(pieces));
}
