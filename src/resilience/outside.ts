import { classify } from '../errors/index.ts';
import type { Breaker } from './breaker.ts';
import type { Clock } from './clock.ts';
import { withDeadline } from './deadline.ts';
import { NO_RETRY, type Random, type RetryPolicy, withRetry } from './retry.ts';

export interface OutsideOptions {
  readonly signal: AbortSignal;
  /** For each attempt, milliseconds. */
  readonly deadlineMs: number;
  readonly breaker?: Breaker;
  readonly retry?: RetryPolicy;
}

/** Every call that leaves the process goes through here: retry ( breaker ( deadline ( work ) ) ). */
export class Outside {
  readonly #clock: Clock;
  readonly #random: Random;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  call<T>(what: string, options: OutsideOptions, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { breaker, deadlineMs, signal } = options;
    const bounded = () =>
      withDeadline(this.#clock, deadlineMs, signal, what, work).catch((thrown: unknown) => {
        throw classify(thrown, what);
      });
    const once = () => (breaker === undefined ? bounded() : breaker.run(what, bounded));
    return withRetry(options.retry ?? NO_RETRY, this.#clock, this.#random, signal, what, once);
  }
}
