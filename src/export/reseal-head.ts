import type { Head, SnapshotEntry } from '../snapshot/head.ts';
import { LIMITS } from '../snapshot/limits.ts';
import { holdAt } from './hold.ts';
import { alive, type HeadFacts, listed } from './next-head.ts';

const EVERYTHING = { last: LIMITS.entries, hourly: 0, daily: 0 };

/**
 * The same configurations, one of them in other sealed bytes: its place, its sequence and its times stay, since they
 * tell of the configuration. An exporter was there, and no control plane has spoken: nothing is confirmed.
 */
export function resealedHead(
  base: Head,
  former: SnapshotEntry,
  resealed: SnapshotEntry,
  facts: HeadFacts,
): Head {
  const entries = base.entries.map((entry) => (entry.key === former.key ? resealed : entry));
  return {
    ...alive(facts, base.controlPlane),
    confirmedAt: base.confirmedAt,
    hold: holdAt(base.hold, facts.now),
    ...listed(entries, base.delisted, EVERYTHING, facts),
  };
}
