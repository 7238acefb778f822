import type { Clock } from '../../src/resilience/index.ts';
import { aborted } from '../../src/resilience/index.ts';
import type { Chance } from './chance.ts';
import type { Owner, World } from './world.ts';

export interface ProcessOptions {
  /** Of its wall clock against the world, milliseconds. */
  readonly skewMs: number;
  /** Of a stop in the middle of synchronous code, at each look at a clock. */
  readonly stopChance: () => number;
  readonly longestStopMs: number;
}

/**
 * One process with clocks of its own. While it is stopped (SIGSTOP) its clocks go on, and nothing reaches it or
 * leaves it: what it does at the moment of the stop happens when it goes on.
 */
export class SimProcess implements Owner {
  dead = false;
  stoppedUntil = 0;
  readonly clock: Clock;
  readonly #world: World;
  readonly #bornAt: number;
  #isWhole = false;

  constructor(world: World, chance: Chance, { skewMs, stopChance, longestStopMs }: ProcessOptions) {
    this.#world = world;
    this.#bornAt = world.now;
    const read = (): number => {
      if (!this.#isWhole && chance.is(stopChance())) this.stop(chance.between(1000, longestStopMs));
      return this.now;
    };
    this.clock = {
      now: () => read() + skewMs,
      monotonic: () => read() - this.#bornAt,
      sleep: (ms, signal) => this.#sleep(ms, signal),
    };
  }

  /** The world's time as far as this process has come. */
  get now(): number {
    return Math.max(this.#world.now, this.stoppedUntil);
  }

  /** Several looks at a clock that count as one. */
  whole<T>(work: () => T): T {
    this.#isWhole = true;
    try {
      return work();
    } finally {
      this.#isWhole = false;
    }
  }

  stop(ms: number): void {
    this.stoppedUntil = this.now + ms;
  }

  kill(): void {
    this.dead = true;
  }

  #sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(aborted(signal));
        return;
      }
      const onAbort = () => {
        cancel();
        reject(aborted(signal));
      };
      const wake = () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      };
      const cancel = this.#world.at(this.now + ms, wake, this);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}
