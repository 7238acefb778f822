import type { Clock } from '../resilience/index.ts';

/** Longer than this from asking to reading, and a server's time says nothing (reliability.md, rule 2). */
const USABLE_WITHIN_MS = 2000;

/**
 * A store's wall clock, as its answers tell it. Skew between hosts cancels when every exporter measures by the
 * store (reliability.md, asOf and sequence). Stores that tell no time at all leave our own clock.
 */
export class StoreClock {
  readonly #clock: Clock;
  #wasSlow = false;
  #slowest: string | undefined;
  #told: { readonly serverTime: number; readonly at: number } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether a store has told its time. */
  get isTold(): boolean {
    return this.#told !== undefined;
  }

  /** What might have told the time took too long: it has to be asked again. */
  get isDoubtful(): boolean {
    return this.#told === undefined && this.#wasSlow;
  }

  /** Id of the store that took too long last; undefined: none did. */
  get slowStore(): string | undefined {
    return this.#slowest;
  }

  /**
   * Of an object that was found; a missing one tells no time. A process that was stopped between asking and reading
   * would make everything look older than it is.
   *
   * @param askedAt monotonic milliseconds when the request was made, its body and all tries included
   */
  observe(serverTime: Date | undefined, askedAt: number, storeId?: string): void {
    const at = this.#clock.monotonic();
    this.#wasSlow = at - askedAt > USABLE_WITHIN_MS;
    if (this.#wasSlow) this.#slowest = storeId;
    if (!this.#wasSlow && serverTime !== undefined) this.#told = { serverTime: serverTime.getTime(), at };
  }

  /** Milliseconds since 1970 at the monotonic moment `at` (default: now). */
  timeAt(at: number = this.#clock.monotonic()): number {
    if (this.#told !== undefined) return this.#told.serverTime + (at - this.#told.at);
    return this.#clock.now() - (this.#clock.monotonic() - at);
  }
}
