import type { Observation } from '../observation.ts';

/** An HTTP `Date` has a granularity of 1 s. */
const OFF_MS = 2000;
/** Then ages, certificates and signed requests go wrong. */
const WRONG_MS = 60_000;

/**
 * @param who whose clock it is compared with
 * @param offsetMs that clock less ours; undefined: it tells none
 */
export function clockOffset(who: string, offsetMs: number | undefined): Observation[] {
  if (offsetMs === undefined) return [];
  const seconds = Math.round(Math.abs(offsetMs) / 1000);
  const message = `this machine's clock is ${seconds} s ${offsetMs > 0 ? 'behind' : 'ahead of'} that of ${who}`;
  const hint =
    'Synchronise the clocks (NTP): how old a snapshot is, and which one is newer, is told by them.';
  if (Math.abs(offsetMs) > WRONG_MS) return [{ severity: 'error', code: 'clock-wrong', message, hint }];
  if (Math.abs(offsetMs) > OFF_MS) return [{ severity: 'warning', code: 'clock-off', message, hint }];
  return [{ severity: 'ok', code: 'clock-right', message: `in step with ${who}` }];
}
