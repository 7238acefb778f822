import type { Clock, Finding } from '../plugin/index.ts';
import type { RestoredFacts } from './candidate.ts';
import { failureFinding, type RestoreFailure } from './failure.ts';
import type { Resolution } from './resolve.ts';

/** What one restore has asked, found and failed at so far. */
export class Progress {
  readonly failures: RestoreFailure[] = [];
  /** Keys of entries that were looked at. */
  readonly tried = new Set<string>();
  readonly #clock: Clock;
  readonly #startedMs: number;
  readonly #cacheFindings: readonly Finding[];
  #headFindings: readonly Finding[] = [];
  #resolveMs = 0;
  #fetchMs = 0;
  #heads = 0;
  #snapshots = 0;

  constructor(clock: Clock, cacheFindings: readonly Finding[]) {
    this.#clock = clock;
    this.#startedMs = clock.monotonic();
    this.#cacheFindings = cacheFindings;
  }

  resolved(heads: number, resolution: Resolution): void {
    this.#resolveMs = this.#clock.monotonic() - this.#startedMs;
    this.#heads = heads;
    this.#headFindings = resolution.findings;
    this.failures.push(...resolution.failures);
  }

  requested(): void {
    this.#snapshots++;
  }

  async timed<T>(fetch: () => Promise<T>): Promise<T> {
    const from = this.#clock.monotonic();
    try {
      return await fetch();
    } finally {
      this.#fetchMs += this.#clock.monotonic() - from;
    }
  }

  timings(): RestoredFacts['timings'] {
    return { resolveMs: Math.round(this.#resolveMs), fetchMs: Math.round(this.#fetchMs) };
  }

  requests(): RestoredFacts['requests'] {
    return { heads: this.#heads, snapshots: this.#snapshots };
  }

  findings(): Finding[] {
    return [...this.failures.map(failureFinding), ...this.#headFindings, ...this.#cacheFindings];
  }
}
