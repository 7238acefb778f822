import type { Random } from './retry.ts';

/** Pauses that double up to a longest one, each with half of it at random; starts over after a success. */
export class Backoff {
  readonly #firstMs: number;
  readonly #longestMs: number;
  readonly #random: Random;
  #failures = 0;

  constructor(firstMs: number, longestMs: number, random: Random) {
    this.#firstMs = firstMs;
    this.#longestMs = longestMs;
    this.#random = random;
  }

  /** Milliseconds until the next attempt. */
  next(): number {
    const ceiling = Math.min(this.#longestMs, this.#firstMs * 2 ** this.#failures);
    this.#failures = Math.min(this.#failures + 1, 30);
    return ceiling / 2 + (ceiling / 2) * this.#random();
  }

  succeeded(): void {
    this.#failures = 0;
  }
}
