import { aborted, type Clock } from '../../resilience/index.ts';
import { AdmissionPace } from './pace.ts';

/** A place among those that wait for the control plane's first answer. The first call of the three settles it. */
export interface AdmissionTicket {
  /** It got a configuration. @param tookMs from the opening of its tunnel */
  carried(tookMs: number): void;
  /** The control plane did not take it, did not answer, or cut it off. */
  refused(): void;
  /** Given back without a judgement: it left, or spoke something else. */
  release(): void;
}

export interface AdmissionOptions {
  readonly clock: Clock;
  /** A ticket that nobody settled for so long counts as slow. Default: 5 s, which a data plane waits for an answer. */
  readonly settleMs?: number;
}

export interface AdmissionState {
  /** Data planes that may wait for the control plane's first answer at once. */
  readonly limit: number;
  readonly inFlight: number;
  /** For a place. */
  readonly waiting: number;
  /** Let through so far. */
  readonly admitted: number;
}

const SETTLE_MS = 5000;

/**
 * Lets data planes through to the control plane by concurrency. Each early arrival at a worker of a control plane that
 * just came back makes it export its database once more; one at a time, 60 of them cost four workers 1.6 CPU seconds,
 * 100 at once 54.
 */
export class Admission {
  readonly #clock: Clock;
  readonly #settleMs: number;
  readonly #pace = new AdmissionPace();
  /** In the order of their arrival. */
  readonly #waiting = new Set<() => void>();
  /** With the monotonic moment of their admission, oldest first. */
  #inFlight = new Map<AdmissionTicket, number>();
  #admitted = 0;

  constructor({ clock, settleMs = SETTLE_MS }: AdmissionOptions) {
    this.#clock = clock;
    this.#settleMs = settleMs;
  }

  state(): AdmissionState {
    return {
      limit: this.#pace.limit,
      inFlight: this.#inFlight.size,
      waiting: this.#waiting.size,
      admitted: this.#admitted,
    };
  }

  /**
   * First come, first served.
   *
   * @returns undefined when there was no place within `waitMs`
   * @throws FallbackError the abort
   */
  enter({
    signal,
    waitMs,
  }: {
    readonly waitMs: number;
    readonly signal: AbortSignal;
  }): Promise<AdmissionTicket | undefined> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(aborted(signal));
      // An answer that has become overdue meanwhile may have made room.
      this.#fill();
      if (this.#waiting.size === 0 && this.#hasRoom()) return resolve(this.#admit());
      if (waitMs <= 0) return resolve(undefined);
      const timer = new AbortController();
      const leave = (end: () => void) => {
        if (!this.#waiting.delete(admit)) return;
        signal.removeEventListener('abort', onAbort);
        timer.abort();
        end();
      };
      const admit = () => leave(() => resolve(this.#admit()));
      const onAbort = () => leave(() => reject(aborted(signal)));
      this.#waiting.add(admit);
      signal.addEventListener('abort', onAbort, { once: true });
      this.#clock.sleep(waitMs, timer.signal).then(
        () => leave(() => resolve(undefined)),
        () => {},
      );
    });
  }

  /** The control plane came back: its workers hold nothing. Those let in before it are not waited for. */
  restart(): void {
    this.#pace.restart();
    this.#inFlight = new Map();
    this.#fill();
  }

  /** While one answer is overdue the others go one at a time: whom they meet may be as cold, and would export again. */
  #hasRoom(): boolean {
    const { limit, overdueMs } = this.#pace;
    const overdue = this.#overdue(this.#clock.monotonic() - overdueMs);
    if (overdue === 0) return this.#inFlight.size < limit;
    return this.#inFlight.size < limit && this.#inFlight.size === overdue;
  }

  #overdue(before: number): number {
    let count = 0;
    for (const enteredAt of this.#inFlight.values()) {
      if (enteredAt > before) break;
      count++;
    }
    return count;
  }

  #fill(): void {
    for (const admit of this.#waiting) {
      if (!this.#hasRoom()) return;
      admit();
    }
  }

  #admit(): AdmissionTicket {
    const { round } = this.#pace;
    const among = this.#inFlight;
    const timer = new AbortController();
    const settle = (judge: () => void) => {
      if (!among.delete(ticket)) return;
      timer.abort();
      if (among !== this.#inFlight) return;
      judge();
      this.#fill();
    };
    const ticket: AdmissionTicket = {
      carried: (tookMs) =>
        settle(() => this.#pace.answered(tookMs, round, (among.size + 1) * 2 >= this.#pace.limit)),
      refused: () => settle(() => this.#pace.slow(round)),
      release: () => settle(() => {}),
    };
    among.set(ticket, this.#clock.monotonic());
    this.#admitted++;
    this.#clock.sleep(this.#settleMs, timer.signal).then(
      () => settle(() => this.#pace.timedOut()),
      () => {},
    );
    return ticket;
  }
}
