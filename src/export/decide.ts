import { type Content, contentOf, isRejected, sameContent } from '../snapshot/content.ts';
import type { Head } from '../snapshot/head.ts';
import { evidenceToBeat, holdAt } from './hold.ts';

/** What one store answered when its head was read. */
export interface HeadReading {
  readonly storeId: string;
  readonly head: Head | undefined;
}

export interface Candidate extends Content {
  /** Milliseconds since 1970 by the store's clock. */
  readonly asOf: number;
}

export interface DecisionRules {
  /** U: must exceed the control plane's export time plus two seconds of `Date` granularity. */
  readonly marginMs: number;
  readonly confirmIntervalMs: number;
  /** Now by the store's clock, milliseconds since 1970. */
  readonly now: number;
  /**
   * The nonce of the head that this exporter wrote from an earlier frame of the same session: frames of one session
   * are in order, so that head may be replaced without a margin. This is how A -> B -> A is followed.
   */
  readonly ownNonce?: string;
}

export type Decision =
  /** New content: a new head on top of `base` (undefined: the first one). */
  | { readonly action: 'publish'; readonly base: Head | undefined }
  /** The stored configuration is still the control plane's. */
  | { readonly action: 'confirm'; readonly base: Head }
  /** Too close to call; ask again with a later session. */
  | { readonly action: 'wait'; readonly against: string }
  /** A store holds something newer: control planes disagree. */
  | { readonly action: 'older'; readonly against: string }
  /** A rollback is in force that rejects this configuration. */
  | { readonly action: 'held'; readonly base: Head };

/** An unconfirmed head may be replaced within the margin after this many confirmation intervals. */
const UNCONFIRMED_INTERVALS = 1.5;

/**
 * Whether a configuration replaces what the stores hold (reliability.md, "Which configuration is newer", rules 3
 * and 4). Pure: every input is an argument, so that a simulation can run it.
 *
 * The candidate must come from a session that was requested after every reading here was answered.
 */
export function decide(
  candidate: Candidate,
  readings: readonly HeadReading[],
  rules: DecisionRules,
): Decision {
  const heads = readings.filter(
    (reading): reading is { storeId: string; head: Head } => reading.head !== undefined,
  );
  const base = highest(heads.map(({ head }) => head));
  if (base === undefined) return { action: 'publish', base: undefined };
  if (isRejected(candidate, holdAt(base.hold, rules.now))) return { action: 'held', base };

  for (const { storeId, head } of heads) {
    if (sameContent(candidate, contentOf(head)) || head.nonce === rules.ownNonce) continue;
    const lead = candidate.asOf - evidenceToBeat(head, candidate);
    if (lead > rules.marginMs) continue;
    if (lead < 0) return { action: 'older', against: storeId };
    const unconfirmedMs = rules.now - Date.parse(head.confirmedAt);
    if (unconfirmedMs <= UNCONFIRMED_INTERVALS * rules.confirmIntervalMs)
      return { action: 'wait', against: storeId };
  }
  return sameContent(candidate, contentOf(base)) ? { action: 'confirm', base } : { action: 'publish', base };
}

/** The head with the highest sequence. */
export function highest(heads: readonly Head[]): Head | undefined {
  return heads.reduce<Head | undefined>(
    (best, head) => (best === undefined || head.sequence > best.sequence ? head : best),
    undefined,
  );
}

export function currentEntry(head: Head): Head['entries'][number] {
  const entry = head.entries[0];
  if (entry === undefined) throw new TypeError('a decoded head has at least one entry');
  return entry;
}

/** Hybrid logical clock (rule 5), by the store's clock so that a wrong clock here cannot run it ahead. */
export function nextSequence(
  heads: readonly (Head | undefined)[],
  ownLast: number,
  storeNow: number,
): number {
  const seen = heads.map((head) => (head === undefined ? 0 : head.sequence + 1));
  return Math.max(...seen, ownLast + 1, Math.floor(storeNow / 1000));
}
