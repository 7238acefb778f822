/** Gone again so soon after coming back, it flaps. */
const FLAPS_WITHIN_MS = 120_000;
/** After so long without a fall, former ones are forgotten. */
const CALM_AFTER_MS = 600_000;

/** How long a control plane that was down has to answer before it counts as back; doubles while it flaps. */
export class StablePeriod {
  readonly #normalMs: number;
  readonly #longestMs: number;
  #currentMs: number;
  #backAt: number | undefined;

  constructor(normalMs: number, longestMs: number) {
    this.#normalMs = normalMs;
    this.#longestMs = Math.max(normalMs, longestMs);
    this.#currentMs = normalMs;
  }

  get ms(): number {
    return this.#currentMs;
  }

  /** @param now monotonic milliseconds */
  back(now: number): void {
    this.#backAt = now;
  }

  /** @param now monotonic milliseconds */
  fell(now: number): void {
    const upMs = this.#backAt === undefined ? Number.POSITIVE_INFINITY : now - this.#backAt;
    if (upMs >= CALM_AFTER_MS) this.#currentMs = this.#normalMs;
    else if (upMs < FLAPS_WITHIN_MS) this.#currentMs = Math.min(this.#longestMs, this.#currentMs * 2);
  }
}
