import type { ControlPlaneState, DelistedKey, Head, SnapshotEntry } from '../snapshot/head.ts';
import { LIMITS } from '../snapshot/limits.ts';
import { time } from './entry.ts';
import { holdAt } from './hold.ts';
import type { Keep } from './line.ts';
import { retained } from './retained.ts';

export interface HeadFacts {
  readonly cluster: string;
  readonly gatewayVersion: string;
  readonly sequence: number;
  readonly writer: string;
  readonly nonce: string;
  /** Milliseconds since 1970, store's clock. */
  readonly now: number;
  /** As they stood in the stores: whoever read one of them may be fetching what it lists. */
  readonly replaced: readonly Head[];
}

/**
 * A head whose current entry is new; the former ones stay listed below it, newest first.
 *
 * @param base with its hold when the entry is what is held, sealed anew; without it, when the entry ends the hold
 */
export function publishedHead(
  base: Head | undefined,
  entry: Omit<SnapshotEntry, 'sequence'>,
  facts: HeadFacts,
  keep: Keep,
): Head {
  const former = (base?.entries ?? []).filter(({ key }) => key !== entry.key);
  const all = [{ ...entry, sequence: facts.sequence }, ...former];
  return {
    ...alive(facts, controlPlane(base, 'up', facts)),
    confirmedAt: time(facts.now),
    hold: base?.hold ? { ...base.hold, target: entry.document.sha256 } : null,
    ...listed(all, base?.delisted ?? [], keep, facts),
  };
}

/**
 * The same configuration, confirmed by a session opened after `base` was read: its `asOf` rises with the evidence,
 * or a late older configuration could still replace it (reliability.md, rule 4).
 */
export function confirmedHead(base: Head, asOf: number, facts: HeadFacts, keep: Keep): Head {
  const [current, ...older] = base.entries as [SnapshotEntry, ...SnapshotEntry[]];
  const raised = { ...current, asOf: time(Math.max(asOf, Date.parse(current.asOf))) };
  return {
    ...alive(facts, controlPlane(base, 'up', facts)),
    confirmedAt: time(facts.now),
    hold: holdAt(base.hold, facts.now),
    ...listed([raised, ...older], base.delisted, keep, facts),
  };
}

/** For a configuration that is neither the held one nor rejected. */
export const withoutHold = (base: Head): Head => ({ ...base, hold: null });

/** For a current snapshot that is lost: what is published next takes its place. */
export function withoutCurrent(base: Head, now: number): Head {
  const [lost, ...entries] = base.entries as [SnapshotEntry, ...SnapshotEntry[]];
  return { ...base, entries, delisted: [...base.delisted, { key: lost.key, since: time(now) }] };
}

/**
 * The exporter is there, and the control plane is not, or what it sends is not published: nothing is confirmed, readers
 * see that somebody watches.
 *
 * @param forMs how long the control plane has been in this state already
 */
export function aliveHead(
  base: Head,
  facts: HeadFacts,
  state: ControlPlaneState['state'] = 'down',
  forMs = 0,
): Head {
  return {
    ...alive(facts, controlPlane(base, state, facts, forMs)),
    confirmedAt: base.confirmedAt,
    hold: holdAt(base.hold, facts.now),
    entries: base.entries,
    delisted: base.delisted,
  };
}

export function alive(facts: HeadFacts, state: ControlPlaneState) {
  const { cluster, gatewayVersion, sequence, writer, nonce, now } = facts;
  const format = 'kongfallback-head/1' as const;
  return {
    format,
    cluster,
    gatewayVersion,
    sequence,
    writer,
    nonce,
    aliveAt: time(now),
    controlPlane: state,
  };
}

function controlPlane(
  base: Head | undefined,
  state: ControlPlaneState['state'],
  { now }: HeadFacts,
  forMs = 0,
): ControlPlaneState {
  const since = base?.controlPlane.state === state ? base.controlPlane.since : time(now - forMs);
  return { state, since };
}

/**
 * Retention deletes what left the list a day ago, at each hour; what a store that was away for longer still holds is an
 * orphan there, and goes by its own age.
 */
const DELISTED_MS = 172_800_000;

/** What leaves the list is noted with the moment, so that retention needs no memory of its own. */
export function listed(
  all: readonly SnapshotEntry[],
  delisted: readonly DelistedKey[],
  keep: Keep,
  { now, replaced }: HeadFacts,
): Pick<Head, 'entries' | 'delisted'> {
  const entries = retained(all, keep);
  const kept = new Set(entries.map(({ key }) => key));
  const before = [...replaced.flatMap((head) => head.delisted), ...delisted];
  const leaving = [...all, ...replaced.flatMap((head) => head.entries)];
  const sinceOf = new Map(before.map(({ key, since }) => [key, since]));
  for (const { key } of leaving) sinceOf.set(key, time(now));
  const gone = [...sinceOf]
    .filter(([key, since]) => !kept.has(key) && now - Date.parse(since) < DELISTED_MS)
    .sort(([, a], [, b]) => compare(a, b));
  return { entries, delisted: gone.map(([key, since]) => ({ key, since })).slice(-LIMITS.delisted) };
}

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
