import type { Clock } from '../plugin/index.ts';

interface Sleeper {
  readonly wakesAtMs: number;
  readonly wake: () => void;
}

/**
 * A clock that moves only when it is told to, or, with `runs: true`, whenever somebody sleeps: then a pause of an
 * hour is over at once.
 */
export class FakeClock implements Clock {
  readonly #runs: boolean;
  #nowMs: number;
  #monotonicMs = 1_000;
  #sleepers: Sleeper[] = [];

  /** @param options.now wall clock at the beginning, milliseconds since 1970 */
  constructor(options: { readonly now?: number; readonly runs?: boolean } = {}) {
    this.#nowMs = options.now ?? Date.UTC(2026, 0, 1);
    this.#runs = options.runs ?? false;
  }

  now(): number {
    return this.#nowMs;
  }

  monotonic(): number {
    return this.#monotonicMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(abortedSleep(signal));
      };
      const wake = () => {
        signal?.removeEventListener('abort', stop);
        resolve();
      };
      const sleeper = { wakesAtMs: this.#monotonicMs + ms, wake };
      if (signal?.aborted) return stop();
      signal?.addEventListener('abort', stop, { once: true });
      this.#sleepers.push(sleeper);
      if (this.#runs) setImmediate(() => this.#runTo(sleeper));
    });
  }

  /** Wakes whoever is due on the way, in order, and lets them act before time goes on. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#monotonicMs + ms;
    await settled();
    for (let next = this.#next(endMs); next !== undefined; next = this.#next(endMs)) {
      this.#wake(next);
      await settled();
    }
    this.#moveTo(endMs);
    await settled();
  }

  /** Sets the wall clock alone, as an administrator or NTP does. */
  setWall(ms: number): void {
    this.#nowMs = ms;
  }

  /** Moves both clocks without waking anybody, as a stopped process sees it. */
  jump(ms: number): void {
    this.#moveTo(this.#monotonicMs + ms);
  }

  /** Sleepers at this moment: 0 after a well-behaved call. */
  get sleeping(): number {
    return this.#sleepers.length;
  }

  #runTo(sleeper: Sleeper): void {
    if (this.#sleepers.includes(sleeper)) this.#wake(sleeper);
  }

  #next(untilMs: number): Sleeper | undefined {
    return this.#sleepers
      .filter((sleeper) => sleeper.wakesAtMs <= untilMs)
      .sort((a, b) => a.wakesAtMs - b.wakesAtMs)[0];
  }

  #wake(sleeper: Sleeper): void {
    this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
    this.#moveTo(Math.max(this.#monotonicMs, sleeper.wakesAtMs));
    sleeper.wake();
  }

  #moveTo(monotonicMs: number): void {
    this.#nowMs += monotonicMs - this.#monotonicMs;
    this.#monotonicMs = monotonicMs;
  }
}

/** A few turns of the event loop: promises that are ready have run. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}

function abortedSleep(signal: AbortSignal | undefined): unknown {
  const reason: unknown = signal?.reason;
  if ((reason as { kind?: unknown } | undefined)?.kind !== undefined) return reason;
  return Object.assign(new Error('stopped before it was done'), { kind: 'aborted', code: 'KF_ABORTED' });
}
