import type { Head } from '../snapshot/head.ts';
import { type Candidate, currentEntry } from './decide.ts';

/** Schedules are jittered: a little less than an interval counts as one. */
export const ALIVE_SHARE = 0.8;

export interface ConfirmationRules {
  readonly confirm: 'due' | 'always';
  readonly confirmIntervalMs: number;
  /** By the store's clock, milliseconds since 1970. */
  readonly now: number;
}

/** Whether a frame with the content of the head is worth writing a head. */
export function isConfirmationDue(
  candidate: Candidate,
  base: Head,
  { confirm, confirmIntervalMs, now }: ConfirmationRules,
): boolean {
  const age = now - Date.parse(base.confirmedAt);
  if (confirm === 'due') return age >= confirmIntervalMs;
  // Not for a frame that says nothing newer: ten exporters would write ten heads for each change.
  const isNewer = candidate.asOf > Date.parse(currentEntry(base).asOf);
  return isNewer || age >= ALIVE_SHARE * confirmIntervalMs;
}

/**
 * Whether frames that follow on this session are newer than the head. A frame with equal content may be older than
 * the head (A, B, A and a control plane that is behind), and so may the one after it.
 */
export function isAsYoung(
  candidate: Candidate,
  base: Head,
  { marginMs, ownNonce }: { readonly marginMs: number; readonly ownNonce: string | undefined },
): boolean {
  const lead = candidate.asOf - Date.parse(currentEntry(base).asOf);
  return base.nonce === ownNonce || lead > marginMs;
}
