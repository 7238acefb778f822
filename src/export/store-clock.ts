import type { Clock } from '../resilience/index.ts';

/**
 * A store's wall clock, as its answers tell it. Skew between hosts cancels when every exporter measures by the
 * store (reliability.md, asOf and sequence). Falls back to our own clock while the store has told nothing.
 *
 * A time from an answer that took 2 s or more is dropped before it gets here: a process that was stopped in
 * between would make everything look younger than it is.
 */
export class StoreClock {
  readonly #clock: Clock;
  #told: { readonly serverTime: number; readonly at: number } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  observe(serverTime: Date | undefined): void {
    if (serverTime !== undefined)
      this.#told = { serverTime: serverTime.getTime(), at: this.#clock.monotonic() };
  }

  /** Milliseconds since 1970 at the monotonic moment `at` (default: now). */
  timeAt(at: number = this.#clock.monotonic()): number {
    if (this.#told !== undefined) return this.#told.serverTime + (at - this.#told.at);
    return this.#clock.now() - (this.#clock.monotonic() - at);
  }
}
