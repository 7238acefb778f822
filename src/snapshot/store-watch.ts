import { FallbackError } from '../errors/index.ts';
import { aborted, type Clock, deadlineExceeded } from '../resilience/index.ts';

export interface WatchLimits {
  /** Without progress while something is awaited. */
  readonly idleMs: number;
  /** From beginning to end. */
  readonly totalMs: number;
}

/**
 * Ends a foreign stream that stalls, never ends, or is no longer wanted. Only the time that the source takes
 * counts as stalling, not the time of a slow reader. One timer at a time, whatever the number of chunks.
 */
export class StreamWatch {
  readonly #clock: Clock;
  readonly #limits: WatchLimits;
  readonly #what: string;
  readonly #signal: AbortSignal;
  readonly #onEnd: (error: FallbackError) => void;
  readonly #timer = new AbortController();
  readonly #startedMs: number;
  #waitingSinceMs: number | undefined;
  #error: FallbackError | undefined;
  #reject: ((error: FallbackError) => void) | undefined;

  constructor(
    clock: Clock,
    limits: WatchLimits,
    what: string,
    signal: AbortSignal,
    onEnd: (error: FallbackError) => void,
  ) {
    this.#clock = clock;
    this.#limits = limits;
    this.#what = what;
    this.#signal = signal;
    this.#onEnd = onEnd;
    this.#startedMs = clock.monotonic();
    if (signal.aborted) this.end(aborted(signal));
    else signal.addEventListener('abort', this.#onAbort, { once: true });
    void this.#run();
  }

  /** The step's result, or this watch's error as soon as a limit is passed. */
  async next<T>(step: () => T | Promise<T>): Promise<T> {
    this.check();
    this.#waitingSinceMs ??= this.#clock.monotonic();
    return new Promise<T>((resolve, reject) => {
      this.#reject = reject;
      Promise.resolve(step()).then(resolve, reject);
    });
  }

  /** Bytes arrived: the next wait starts from nothing. */
  progressed(): void {
    this.#waitingSinceMs = undefined;
  }

  /** Needed beside the timer: a source that never leaves the microtask queue lets no timer fire. */
  check(): void {
    if (this.#error === undefined) {
      const passed = this.#passed();
      if (passed !== undefined) this.end(passed);
    }
    if (this.#error !== undefined) throw this.#error;
  }

  stop(): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#reject = undefined;
    this.#timer.abort();
  }

  readonly #onAbort = () => this.end(aborted(this.#signal));

  /** Ends the source, and whoever awaits its next step, with this error. */
  end(error: FallbackError): void {
    if (this.#error !== undefined || this.#timer.signal.aborted) return;
    this.#error = error;
    this.#onEnd(error);
    this.#reject?.(error);
    this.stop();
  }

  #passed(): FallbackError | undefined {
    const now = this.#clock.monotonic();
    if (now - this.#startedMs >= this.#limits.totalMs) {
      return deadlineExceeded(this.#what, this.#limits.totalMs);
    }
    if (this.#waitingSinceMs !== undefined && now - this.#waitingSinceMs >= this.#limits.idleMs) {
      return stalled(this.#what, this.#limits.idleMs);
    }
    return undefined;
  }

  async #run(): Promise<void> {
    const { idleMs, totalMs } = this.#limits;
    while (this.#error === undefined) {
      const now = this.#clock.monotonic();
      const idleEndMs = (this.#waitingSinceMs ?? now) + idleMs;
      const pause = Math.min(idleEndMs, this.#startedMs + totalMs) - now;
      try {
        await this.#clock.sleep(Math.max(pause, 1), this.#timer.signal);
      } catch {
        return;
      }
      const passed = this.#passed();
      if (passed !== undefined) this.end(passed);
    }
  }
}

function stalled(what: string, idleMs: number): FallbackError {
  return new FallbackError('unavailable', 'KF_STORE_BODY_STALLED', `${what}: no bytes for ${idleMs} ms`, {
    hint: 'The store answered and then fell silent; check the network path to it and its load.',
  });
}
