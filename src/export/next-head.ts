import type { Head, SnapshotEntry } from '../snapshot/head.ts';
import { time } from './entry.ts';

export interface HeadFacts {
  readonly cluster: string;
  readonly gatewayVersion: string;
  readonly sequence: number;
  readonly writer: string;
  readonly nonce: string;
  /** Milliseconds since 1970, store's clock. */
  readonly now: number;
}

/** A head whose current entry is a new configuration; the former ones stay listed below it, newest first. */
export function publishedHead(
  base: Head | undefined,
  entry: Omit<SnapshotEntry, 'sequence'>,
  facts: HeadFacts,
  keepLast: number,
): Head {
  const all = [
    { ...entry, sequence: facts.sequence },
    ...(base?.entries ?? []).filter(({ key }) => key !== entry.key),
  ];
  const entries = all.slice(0, keepLast);
  const delisted = [
    ...(base?.delisted ?? []),
    ...all.slice(keepLast).map(({ key }) => ({ key, since: time(facts.now) })),
  ];
  return {
    ...alive(base, facts),
    confirmedAt: time(facts.now),
    hold: null,
    entries,
    delisted: relisted(delisted, entries),
  };
}

/**
 * The same configuration, confirmed by a session opened after `base` was read: its `asOf` rises with the evidence,
 * or a late older configuration could still replace it (reliability.md, rule 4).
 */
export function confirmedHead(base: Head, asOf: number, facts: HeadFacts): Head {
  const [current, ...older] = base.entries as [SnapshotEntry, ...SnapshotEntry[]];
  const raised = { ...current, asOf: time(Math.max(asOf, Date.parse(current.asOf))) };
  return {
    ...alive(base, facts),
    confirmedAt: time(facts.now),
    hold: base.hold,
    entries: [raised, ...older],
    delisted: base.delisted,
  };
}

function alive(
  base: Head | undefined,
  facts: HeadFacts,
): Omit<Head, 'confirmedAt' | 'hold' | 'entries' | 'delisted'> {
  const { cluster, gatewayVersion, sequence, writer, nonce, now } = facts;
  const since = base?.controlPlane.state === 'up' ? base.controlPlane.since : time(now);
  return {
    format: 'kongfallback-head/1',
    cluster,
    gatewayVersion,
    sequence,
    writer,
    nonce,
    aliveAt: time(now),
    controlPlane: { state: 'up', since },
  };
}

/** FORMAT.md §3: at most 1024; what is listed again is no longer delisted. */
function relisted(delisted: Head['delisted'], entries: readonly SnapshotEntry[]): Head['delisted'] {
  const listed = new Set(entries.map(({ key }) => key));
  return delisted.filter(({ key }) => !listed.has(key)).slice(-1024);
}
