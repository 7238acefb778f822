import type { Clock } from '../../plugin/plugin.ts';

/** Woken so much too late, the process stood still: paused, or kept from running. */
const STOOD_STILL_MS = 250;

/**
 * The time in which this process was there to see. While it stands still, answers wait unread and its deadlines run
 * out: what it did not see is counted neither against the control plane nor for it.
 */
export class WatchTime {
  readonly #clock: Clock;
  #lostMs = 0;
  #wakesBy = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Monotonic milliseconds, without those lost. */
  now(): number {
    return this.#clock.monotonic() - this.#lostMs;
  }

  /** Somebody is about to sleep for so long at most. */
  sleeping(ms: number): void {
    this.#wakesBy = this.#clock.monotonic() + ms;
  }

  woke(): void {
    const lateMs = this.#clock.monotonic() - this.#wakesBy;
    if (lateMs > STOOD_STILL_MS) this.#lostMs += lateMs;
    this.#wakesBy = Number.POSITIVE_INFINITY;
  }
}
