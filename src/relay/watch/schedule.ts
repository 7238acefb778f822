import type { Random } from '../../resilience/index.ts';
import type { Alarms } from './alarms.ts';
import type { WatchJudge } from './judge.ts';
import type { LookDepth } from './look.ts';
import type { WatchLooks } from './looks.ts';

/** Each time 20 % more or less, so that a fleet of relays does not look in step. */
const UP_EVERY_MS = 5000;
const DOUBTFUL_EVERY_MS = 500;
const DOWN_EVERY_MS = 1000;
/** No two looks begin closer together, whatever is reported. */
const APART_MS = 500;
/** A look that takes so long is doubtful. */
const HANGS_AFTER_MS = 1000;
/** A data plane's own time for connecting. */
const LONGEST_LOOK_MS = 5000;
/** Looks end so much before the verdict, which can then say exactly what they waited for. */
const BEFORE_VERDICT_MS = 20;
/** With less than that, a look cannot succeed. */
const SHORTEST_LOOK_MS = 100;
/** An upgrade without `basic_info` costs the control plane a line in its log. */
const REFUSED_EVERY_MS = 60_000;
const NEVER = Number.POSITIVE_INFINITY;
/** While a look is under way: only who wakes often notices that it stood still. */
const WAKE_EVERY_MS = 1000;

export interface ScheduleOptions {
  readonly tripMs: number;
  /** As far as any look goes. */
  readonly deepest: LookDepth;
  readonly random: Random;
}

/** When to look next, how deep and for how long. Times are milliseconds of WatchTime. */
export class WatchSchedule {
  readonly hangsAfterMs: number;
  readonly #options: ScheduleOptions;
  readonly #judge: WatchJudge;
  readonly #looks: WatchLooks;
  readonly #alarms: Alarms;
  #lastAt = -NEVER;
  #lastDeepAt = -NEVER;
  #everyMs = UP_EVERY_MS;
  #hinted = false;

  constructor(options: ScheduleOptions, judge: WatchJudge, looks: WatchLooks, alarms: Alarms) {
    this.#options = options;
    this.#judge = judge;
    this.#looks = looks;
    this.#alarms = alarms;
    this.hangsAfterMs = Math.min(HANGS_AFTER_MS, options.tripMs / 2);
  }

  /** The next look is not to wait for its turn. */
  hint(): void {
    this.#hinted = true;
  }

  launchIfDue(now: number, firstAddress: string | undefined): void {
    if (now < this.#dueAt()) return;
    const depth = this.#depth(now);
    this.#lastAt = now;
    if (depth === 'upgrade') this.#lastDeepAt = now;
    this.#hinted = false;
    this.#everyMs = UP_EVERY_MS * (0.8 + 0.4 * this.#options.random());
    this.#looks.launch({ startedAt: now, depth }, this.#deadlineMs(now), firstAddress);
  }

  /** When there is something to do, if nothing is reported before. */
  nextAt(now: number): number {
    const { oldest } = this.#looks;
    const { tripsAt = NEVER, verdict } = this.#judge;
    const settles = verdict === 'doubtful' || verdict === 'down' || oldest === undefined;
    const hangsAt = settles ? NEVER : oldest.startedAt + this.hangsAfterMs;
    const wakesAt = oldest === undefined ? NEVER : now + WAKE_EVERY_MS;
    return Math.min(this.#dueAt(), tripsAt, hangsAt, wakesAt);
  }

  #dueAt(): number {
    const { backFrom = NEVER, tripsAt = NEVER, verdict } = this.#judge;
    if (this.#looks.full) return NEVER;
    if (verdict === 'doubtful') {
      const at = this.#lastAt + DOUBTFUL_EVERY_MS;
      return at > tripsAt - SHORTEST_LOOK_MS ? NEVER : at;
    }
    if (verdict === 'down') {
      return this.#looks.oldest === undefined ? Math.min(this.#lastAt + DOWN_EVERY_MS, backFrom) : NEVER;
    }
    return this.#lastAt + (this.#hinted ? APART_MS : this.#everyMs);
  }

  #depth(now: number): LookDepth {
    if (this.#judge.verdict !== 'up' || this.#hinted) return this.#options.deepest;
    // Only a look as deep as the one that was refused can tell that it no longer is.
    const again = this.#alarms.needs('upgrade') && now - this.#lastDeepAt >= REFUSED_EVERY_MS;
    return again ? this.#options.deepest : 'tls';
  }

  #deadlineMs(now: number): number {
    const { tripsAt, verdict } = this.#judge;
    if (verdict === 'down') return Math.min(this.#options.tripMs, LONGEST_LOOK_MS);
    return (tripsAt ?? now + this.#options.tripMs) - now - BEFORE_VERDICT_MS;
  }
}
