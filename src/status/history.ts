// What the heads of one line list. Pure: the heads are read by whoever asks.
import type { FallbackError } from '../errors/index.ts';
import { contentOfEntry, isRejected } from '../snapshot/content.ts';
import type { Head, Hold, RecordedFinding, SnapshotEntry } from '../snapshot/head.ts';
import { newestHead, type StoreHead } from './read-heads.ts';

export type HistoryMark = 'current' | 'held' | 'rejected';

export interface HistoryEntry {
  readonly sequence: number;
  readonly documentSha256: string;
  readonly configHash: string | null;
  readonly documentBytes: number;
  readonly sealedBytes: number;
  readonly asOf: string;
  readonly exportedAt: string;
  /** Since `asOf`, by the store's clock where it tells one. */
  readonly ageSeconds: number;
  readonly writer: string;
  readonly counts: Readonly<Record<string, number>>;
  /** Of the one before it in time; null: that one is not kept. */
  readonly formerCounts: Readonly<Record<string, number>> | null;
  readonly loadableUntil: string | null;
  readonly findings: readonly RecordedFinding[];
  readonly accepted: SnapshotEntry['accepted'];
  /** `current`: what a new data plane gets; `held`: by a rollback; `rejected`: by it. */
  readonly marks: readonly HistoryMark[];
  /** Ids of the storages whose head does not list it. */
  readonly notIn: readonly string[];
}

export interface HistoryLine {
  readonly gatewayVersion: string;
  readonly hold: Hold | null;
  /** The current one first, the others newest first. */
  readonly snapshots: readonly HistoryEntry[];
  readonly stores: readonly HistoryStore[];
}

export interface HistoryStore {
  readonly store: string;
  readonly sequence: number | null;
  readonly authenticated: boolean | null;
  readonly current: { readonly sequence: number; readonly documentSha256: string } | null;
  readonly error: FallbackError | null;
}

/** @param now milliseconds since 1970, for stores that tell no time */
export function historyLine(gatewayVersion: string, heads: readonly StoreHead[], now: number): HistoryLine {
  const best = newestHead(heads);
  const storeNow = best?.serverTime?.getTime() ?? now;
  return {
    gatewayVersion,
    hold: best?.head.hold ?? null,
    snapshots: best === undefined ? [] : snapshots(best.head, heads, storeNow),
    stores: heads.map(storeOf),
  };
}

function storeOf({ store, reading, error }: StoreHead): HistoryStore {
  const current = reading?.head.entries[0];
  return {
    store,
    sequence: reading?.head.sequence ?? null,
    authenticated: reading?.authenticated ?? null,
    current: current ? { sequence: current.sequence, documentSha256: current.document.sha256 } : null,
    error: error ?? null,
  };
}

function snapshots(best: Head, heads: readonly StoreHead[], now: number): HistoryEntry[] {
  const all = new Map<string, SnapshotEntry>();
  for (const head of [best, ...heads.flatMap(({ reading }) => reading?.head ?? [])]) {
    for (const entry of head.entries) if (!all.has(entry.key)) all.set(entry.key, entry);
  }
  const [current] = best.entries;
  const others = [...all.values()].filter((entry) => entry !== current);
  others.sort((a, b) => b.sequence - a.sequence);
  const byTime = [...all.values()].sort((a, b) => compare(a.exportedAt, b.exportedAt));
  return [...(current === undefined ? [] : [current]), ...others].map((entry) => ({
    sequence: entry.sequence,
    documentSha256: entry.document.sha256,
    configHash: entry.configHash,
    documentBytes: entry.document.length,
    sealedBytes: entry.sealed.length,
    asOf: entry.asOf,
    exportedAt: entry.exportedAt,
    ageSeconds: Math.max(0, Math.round((now - Date.parse(entry.asOf)) / 1000)),
    writer: entry.writer,
    counts: entry.counts,
    formerCounts: byTime[byTime.indexOf(entry) - 1]?.counts ?? null,
    loadableUntil: entry.loadableUntil,
    findings: entry.findings,
    accepted: entry.accepted,
    marks: marksOf(entry, best),
    notIn: heads
      .filter(({ reading }) => reading !== undefined && !lists(reading.head, entry.key))
      .map(({ store }) => store),
  }));
}

function marksOf(entry: SnapshotEntry, best: Head): HistoryMark[] {
  const isCurrent = entry === best.entries[0];
  return [
    ...(isCurrent ? (['current'] as const) : []),
    ...(isCurrent && best.hold !== null ? (['held'] as const) : []),
    ...(isRejected(contentOfEntry(entry), best.hold) ? (['rejected'] as const) : []),
  ];
}

const lists = (head: Head, key: string): boolean => head.entries.some((entry) => entry.key === key);

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
