import { FallbackError } from '../../errors/index.ts';
import type { Verdict } from '../verdict.ts';
import { WatchBreaker } from './breaker.ts';
import type { LookDepth } from './look.ts';
import { StablePeriod } from './stable-period.ts';

export interface JudgeOptions {
  /** Without an answer for so long, it is down. Milliseconds, as all here. */
  readonly tripMs: number;
  readonly stableMs: number;
  readonly maxStableMs: number;
}

/** Newly opened tunnels in a row that carried nothing: one may be a data plane's own fault. */
const SILENT_TUNNELS = 2;

/**
 * Decides on the verdict from what happened and when, and nothing else: it asks nobody, waits for nothing and reads
 * no clock. Every `now` is in milliseconds of WatchTime.
 */
export class WatchJudge {
  readonly #options: JudgeOptions;
  readonly #breaker = new WatchBreaker();
  readonly #stable: StablePeriod;
  /** While the breaker is closed. */
  #closed: 'unknown' | 'up' | 'doubtful' = 'unknown';
  #doubt: { readonly since: number; readonly depth: LookDepth } | undefined;
  #trialSince: number | undefined;
  #silentTunnels = 0;
  #error: FallbackError | undefined;

  constructor(options: JudgeOptions) {
    this.#options = options;
    this.#stable = new StablePeriod(options.stableMs, options.maxStableMs);
  }

  get verdict(): Verdict {
    return this.#breaker.state === 'closed' ? this.#closed : 'down';
  }

  get breaker(): WatchBreaker {
    return this.#breaker;
  }

  /** Of the last failure, while the verdict is doubtful or down. */
  get error(): FallbackError | undefined {
    return this.#error;
  }

  /** When a doubtful control plane will be down. */
  get tripsAt(): number | undefined {
    return this.#doubt === undefined ? undefined : this.#doubt.since + this.#options.tripMs;
  }

  /** From when on an answer brings it back, while the breaker is half-open. */
  get backFrom(): number | undefined {
    return this.#trialSince === undefined ? undefined : this.#trialSince + this.#stable.ms;
  }

  answered(now: number, depth: LookDepth): void {
    const { verdict } = this;
    // TLS alone says nothing of a control plane that was seen to fail behind it.
    if (verdict === 'doubtful' && this.#doubt?.depth === 'upgrade' && depth === 'tls') return;
    if (verdict !== 'down') this.#up();
    else this.#tryOut(now);
  }

  /** @param since when it began to fail: for a look that hangs, its start */
  failed(since: number, error: FallbackError, depth: LookDepth): void {
    this.#error = error;
    if (this.verdict === 'down') {
      this.#trialSince = undefined;
      this.#breaker.open();
    } else if (this.#closed !== 'doubtful') {
      this.#closed = 'doubtful';
      this.#doubt = { since, depth };
    }
  }

  tunnelAnswered(): void {
    this.#silentTunnels = 0;
  }

  tunnelSilent(now: number): void {
    if (this.verdict === 'down') return;
    this.#silentTunnels++;
    if (this.#silentTunnels >= SILENT_TUNNELS) this.#trip(now, tunnelsSilent());
  }

  /** Time has passed. */
  at(now: number): void {
    const { tripsAt } = this;
    if (tripsAt !== undefined && now >= tripsAt) this.#trip(now, this.#error);
  }

  /** An answer while it is down: the first begins the trial, one at its end passes it. */
  #tryOut(now: number): void {
    if (this.#trialSince === undefined) {
      this.#trialSince = now;
      this.#breaker.halfOpen();
    } else if (now - this.#trialSince >= this.#stable.ms) {
      this.#stable.back(now);
      this.#breaker.close();
      this.#up();
    }
  }

  #trip(now: number, error: FallbackError | undefined): void {
    this.#error = error;
    this.#doubt = undefined;
    this.#trialSince = undefined;
    this.#silentTunnels = 0;
    this.#stable.fell(now);
    this.#breaker.open();
  }

  #up(): void {
    this.#closed = 'up';
    this.#doubt = undefined;
    this.#trialSince = undefined;
    this.#error = undefined;
  }
}

function tunnelsSilent(): FallbackError {
  return new FallbackError(
    'unavailable',
    'KF_RELAY_TUNNELS_SILENT',
    `${SILENT_TUNNELS} data planes in a row got no byte from the control plane, though it answers us`,
    { hint: 'A load balancer with a dead control plane behind it looks like this: look at its backends.' },
  );
}
