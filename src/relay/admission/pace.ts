/** What a control plane of one warm worker gave in a second in captures: 500 data planes in 3 s. */
const MOST = 256;
/** An answer in this time is fast, whatever the best one was: a warm worker needs some 6 ms, and the network its own. */
const FAST_MS = 250;
const FAST_TIMES_BEST = 2;
const SLOW_TIMES_BEST = 4;
/** A cold worker needs 0.5 to 0.7 s for its first answer. */
const ALWAYS_SLOW_MS = 1500;
/**
 * So many fast answers come before there are two at once. Who takes a connection is up to the kernel: by then four
 * workers have all been met, and sixteen but for one or two, which many at once would meet cold.
 */
const PROOFS = 32;
/** From so long on it is likely that another worker is at its first answer. */
const LEAST_OVERDUE_MS = 50;
/** The best one is that of so many answers. */
const RECENT = 256;

/**
 * How many data planes may wait for the control plane's first answer at once. One, until thirty-two answers were fast;
 * doubles with each round of fast answers from then on, and halves with a slow one, once for a round: those that were
 * let in together are slow together.
 */
export class AdmissionPace {
  #limit = 1;
  #round = 0;
  #proofs = 0;
  readonly #recent: number[] = [];

  get limit(): number {
    return this.#limit;
  }

  /** Which one a data plane that is let in now belongs to. */
  get round(): number {
    return this.#round;
  }

  /** Milliseconds after which an answer is unusually late. */
  get overdueMs(): number {
    const best = this.#best();
    return best === undefined ? FAST_MS : Math.max(LEAST_OVERDUE_MS, SLOW_TIMES_BEST * best);
  }

  /**
   * @param tookMs until its first configuration
   * @param round that it was let in with
   * @param used whether at least half of the limit was in use: what nobody used proves nothing
   */
  answered(tookMs: number, round: number, used: boolean): void {
    const best = this.#best() ?? 0;
    const isSlow =
      tookMs > ALWAYS_SLOW_MS || (best > 0 && tookMs > FAST_MS && tookMs > SLOW_TIMES_BEST * best);
    const isFast = tookMs <= FAST_MS || tookMs <= FAST_TIMES_BEST * best;
    this.#recent.push(tookMs);
    if (this.#recent.length > RECENT) this.#recent.shift();
    if (isSlow) this.slow(round);
    else if (isFast && used) this.#grow();
  }

  /** Refused, cut or late. */
  slow(round: number): void {
    if (round === this.#round) this.#lowerTo(Math.max(1, Math.floor(this.#limit / 2)));
  }

  timedOut(): void {
    this.#proofs = 0;
    this.#lowerTo(1);
  }

  /** Another control plane, or the same one with empty workers. */
  restart(): void {
    this.#recent.length = 0;
    this.timedOut();
  }

  #grow(): void {
    if (this.#proofs < PROOFS) this.#proofs++;
    else this.#limit = Math.min(MOST, this.#limit + 1);
  }

  #best(): number | undefined {
    return this.#recent.length === 0 ? undefined : Math.min(...this.#recent);
  }

  #lowerTo(limit: number): void {
    this.#limit = limit;
    this.#round++;
  }
}
