import type { Head } from '../snapshot/head.ts';
import { LIMITS } from '../snapshot/limits.ts';
import { alive, type HeadFacts, listed } from './next-head.ts';
import type { RollbackPlan } from './rollback-plan.ts';

const EVERYTHING = { last: LIMITS.entries, hourly: 0, daily: 0 };

/**
 * The target before all others, and the hold. No exporter has looked and no control plane has spoken: `aliveAt` and its
 * state stay as they are, and what is current now was confirmed when its own evidence was seen.
 */
export function rolledBackHead(base: Head, { target, hold }: RollbackPlan, facts: HeadFacts): Head {
  const others = base.entries.filter(({ key }) => key !== target.key);
  return {
    ...alive(facts, base.controlPlane),
    aliveAt: base.aliveAt,
    confirmedAt: target.asOf,
    hold,
    ...listed([{ ...target, sequence: facts.sequence }, ...others], base.delisted, EVERYTHING, facts),
  };
}

/** The same without the hold: what the control plane sends next is published. */
export function resumedHead(base: Head, facts: HeadFacts): Head {
  return {
    ...alive(facts, base.controlPlane),
    aliveAt: base.aliveAt,
    confirmedAt: base.confirmedAt,
    hold: null,
    entries: base.entries,
    delisted: base.delisted,
  };
}
