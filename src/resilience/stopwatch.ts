import type { Clock } from './clock.ts';

/** Milliseconds by step, for outcomes and metrics. */
export class Stopwatch {
  readonly #clock: Clock;
  readonly #started: number;
  readonly #laps: Record<string, number> = {};
  #last: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#started = clock.monotonic();
    this.#last = this.#started;
  }

  /** Ends the step that began with the former lap. */
  lap(name: string): void {
    const now = this.#clock.monotonic();
    this.#laps[name] = Math.round(now - this.#last);
    this.#last = now;
  }

  /** Every lap so far, and `totalMs`. */
  laps(): Record<string, number> {
    return { ...this.#laps, totalMs: Math.round(this.#clock.monotonic() - this.#started) };
  }
}
