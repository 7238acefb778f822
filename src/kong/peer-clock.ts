import type { Clock } from '../plugin/plugin.ts';

/** Longer than this between asking and reading, and the `Date` says nothing (reliability.md, asOf). */
const USABLE_WITHIN_MS = 2000;

/** The control plane's own clock: the `Date` of its answer and our monotonic time since. */
export class PeerClock {
  readonly #clock: Clock;
  readonly #date: number | undefined;
  readonly #readAt: number;

  /** @param askedAt monotonic milliseconds when the request was sent; the answer is being read now */
  constructor(clock: Clock, dateHeader: string | undefined, askedAt: number) {
    this.#clock = clock;
    this.#readAt = clock.monotonic();
    const date = Date.parse(dateHeader ?? '');
    const usable = Number.isFinite(date) && this.#readAt - askedAt <= USABLE_WITHIN_MS;
    this.#date = usable ? date : undefined;
  }

  /** Milliseconds since 1970 at this moment, or undefined when the peer has no usable clock. */
  now(): number | undefined {
    return this.at(this.#clock.monotonic());
  }

  /** What it showed, or will show, at a moment of our monotonic clock. */
  at(monotonicMs: number): number | undefined {
    return this.#date === undefined ? undefined : this.#date + (monotonicMs - this.#readAt);
  }
}
