import type { Clock } from 'kongfallback/plugin';

/**
 * Keeps two writes of one key apart, for stores that refuse the second within a second with 429. Counted from the
 * answer to the former write, so that the store's own clock sees at least as much.
 */
export class Pace {
  readonly #intervalMs: number;
  readonly #clock: Clock;
  /** Monotonic; keys that are due are forgotten. */
  readonly #dueAtMs = new Map<string, number>();

  constructor(intervalMs: number, clock: Clock) {
    this.#intervalMs = intervalMs;
    this.#clock = clock;
  }

  async run<T>(key: string, signal: AbortSignal, write: () => Promise<T>): Promise<T> {
    if (this.#intervalMs === 0) return write();
    await this.#turn(key, signal);
    try {
      return await write();
    } finally {
      this.#dueAtMs.set(key, this.#clock.monotonic() + this.#intervalMs);
    }
  }

  /** Taken at once, so that several that wait for one key come one after the other. */
  async #turn(key: string, signal: AbortSignal): Promise<void> {
    const now = this.#clock.monotonic();
    for (const [other, dueAtMs] of this.#dueAtMs) if (dueAtMs <= now) this.#dueAtMs.delete(other);
    const dueAtMs = this.#dueAtMs.get(key) ?? now;
    this.#dueAtMs.set(key, dueAtMs + this.#intervalMs);
    if (dueAtMs > now) await this.#clock.sleep(dueAtMs - now, signal);
  }
}
