// What a rollback of one line will be, before anything is written.
import { FallbackError } from '../errors/index.ts';
import { type Content, contentOf, contentOfEntry, sameContent } from '../snapshot/content.ts';
import type { Hold, SnapshotEntry } from '../snapshot/head.ts';
import { LIMITS } from '../snapshot/limits.ts';
import { selectSnapshot } from '../snapshot/select-snapshot.ts';
import { currentEntry } from './decide.ts';
import { time } from './entry.ts';
import { holdAt } from './hold.ts';
import type { LineHeads } from './line-heads.ts';

export interface RollbackOrder {
  /** A sequence, a prefix of a hash, or `previous`. */
  readonly snapshot: string;
  readonly by: string;
  readonly reason: string;
  /** Milliseconds since 1970; null: until it is resumed, or the control plane sends something new. */
  readonly until: number | null;
}

export interface RollbackPlan {
  /** Current until now. */
  readonly from: SnapshotEntry;
  readonly target: SnapshotEntry;
  readonly hold: Hold;
}

const CODES = { unknown: 'KF_ROLLBACK_UNKNOWN_SNAPSHOT', ambiguous: 'KF_ROLLBACK_AMBIGUOUS_SNAPSHOT' };

/**
 * @param now by the store's clock, milliseconds since 1970
 * @throws FallbackError `unavailable` KF_HEAD_MISSING; `invalid` KF_ROLLBACK_UNKNOWN_SNAPSHOT,
 *   KF_ROLLBACK_AMBIGUOUS_SNAPSHOT, KF_ROLLBACK_CURRENT, KF_ROLLBACK_NOT_LOADABLE
 */
export function planRollback(
  heads: LineHeads,
  order: RollbackOrder,
  { gatewayVersion, now }: { readonly gatewayVersion: string; readonly now: number },
): RollbackPlan {
  const where = `gateway ${gatewayVersion}`;
  const { base } = heads;
  if (base === undefined) throw noHead(where);
  if (order.until !== null && order.until <= now) throw isOver(order.until);
  const former = holdAt(base.hold, now);
  // The same command twice must not go back twice.
  if (former !== null && order.snapshot.toLowerCase() === 'previous') throw ambiguous(where, former);
  const target = selectSnapshot(base, order.snapshot, where, CODES);
  const from = currentEntry(base);
  // Told again after a store was away: the same hold, brought to every store.
  if (sameContent(contentOfEntry(target), contentOf(base))) {
    if (former === null) throw isCurrent(where, target);
    const rejected = rejectedBy(heads, former, contentOfEntry(target));
    return { from, target, hold: { ...former, rejected, ...words(order) } };
  }
  if (target.loadableUntil !== null && Date.parse(target.loadableUntil) <= now)
    throw notLoadable(where, target);
  return {
    from,
    target,
    hold: {
      target: target.document.sha256,
      rejected: rejectedBy(heads, former, contentOfEntry(target)),
      since: time(now),
      ...words(order),
    },
  };
}

export const noHead = (where: string): FallbackError =>
  new FallbackError('unavailable', 'KF_HEAD_MISSING', `${where}: no storage holds a head that can be used`, {
    hint: 'There is nothing to go back to. `kongfallback status` says what the storages hold.',
  });

function words({ by, reason, until }: RollbackOrder): Pick<Hold, 'by' | 'reason' | 'until'> {
  return {
    by: by.slice(0, LIMITS.name),
    reason: reason.slice(0, LIMITS.sentence),
    until: until === null ? null : time(until),
  };
}

/** What is current in any store, and what a hold in force rejects already; never the target. */
function rejectedBy({ readings }: LineHeads, former: Hold | null, target: Content): readonly Content[] {
  const currents = readings.flatMap(({ head }) => (head === undefined ? [] : [contentOf(head)]));
  const rejected: Content[] = [];
  for (const content of [...currents, ...(former?.rejected ?? [])]) {
    const known = [target, ...rejected].some((other) => sameContent(other, content));
    if (!known) rejected.push(content);
  }
  return rejected.slice(0, LIMITS.rejected);
}

const ambiguous = (where: string, { since, target }: Hold): FallbackError =>
  new FallbackError(
    'invalid',
    CODES.ambiguous,
    `${where}: a rollback is in force since ${since}, so that "previous" may mean two things`,
    {
      hint: `Name the snapshot: ${target.slice(0, 12)} is what is held now; \`kongfallback history\` shows the others.`,
    },
  );

const isOver = (until: number): FallbackError =>
  new FallbackError('invalid', 'KF_USAGE', `--until ${time(until)} has passed already`, {
    hint: 'Name a later moment, or leave it out.',
  });

const isCurrent = (where: string, { sequence }: SnapshotEntry): FallbackError =>
  new FallbackError(
    'invalid',
    'KF_ROLLBACK_CURRENT',
    `${where}: sequence ${sequence} is what is published already`,
    { hint: 'Choose another one of `kongfallback history`, or `previous`.' },
  );

const notLoadable = (where: string, { sequence, loadableUntil }: SnapshotEntry): FallbackError =>
  new FallbackError(
    'invalid',
    'KF_ROLLBACK_NOT_LOADABLE',
    `${where}: data planes reject sequence ${sequence} since ${loadableUntil}: a CA certificate in it has expired`,
    { hint: 'Choose a newer one of `kongfallback history`.' },
  );
