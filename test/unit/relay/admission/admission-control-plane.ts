import type { Admission } from '../../../../src/relay/admission/admission.ts';
import type { Clock } from '../../../../src/resilience/index.ts';

/** Milliseconds of one worker's time, as recorded of a real 3.9.3 with 15,000 entities. */
const EXPORT_MS = 600;
const ANSWER_MS = 6;

interface Worker {
  busyUntil: number;
  warmAt: number;
  exports: number;
}

/** Which worker takes a connection. */
export type Spread = 'random' | 'idlest';

/**
 * A control plane that just started: each worker does one thing after the other, and exports its database for each data
 * plane that arrives before its first export is done.
 */
export class ModelControlPlane {
  readonly workers: Worker[];
  readonly #clock: Clock;
  readonly #spread: Spread;
  readonly #random: () => number;

  constructor(options: {
    readonly workers: number;
    readonly warm?: boolean;
    readonly spread?: Spread;
    readonly clock: Clock;
    readonly random: () => number;
  }) {
    this.#clock = options.clock;
    this.#spread = options.spread ?? 'random';
    this.#random = options.random;
    this.workers = Array.from({ length: options.workers }, () => ({
      busyUntil: 0,
      warmAt: options.warm ? 0 : Number.POSITIVE_INFINITY,
      exports: 0,
    }));
  }

  get exports(): number {
    return this.workers.reduce((sum, worker) => sum + worker.exports, 0);
  }

  /** Resolves with the first configuration. */
  async connect(): Promise<void> {
    const now = this.#clock.monotonic();
    const worker = this.#choose();
    if (worker === undefined) throw new Error('no workers');
    const isCold = now < worker.warmAt;
    worker.busyUntil = Math.max(now, worker.busyUntil) + (isCold ? EXPORT_MS : ANSWER_MS);
    if (isCold) {
      worker.exports++;
      worker.warmAt = Math.min(worker.warmAt, worker.busyUntil);
    }
    await this.#clock.sleep(worker.busyUntil - now);
  }

  #choose(): Worker | undefined {
    if (this.#spread === 'random') return this.workers[Math.floor(this.#random() * this.workers.length)];
    return [...this.workers].sort((a, b) => a.busyUntil - b.busyUntil)[0];
  }
}

export interface Herd {
  readonly clock: Clock;
  readonly random: () => number;
  readonly admission: Admission;
  readonly controlPlane: ModelControlPlane;
}

/** How long a data plane is held at the door, and how long it waits before it dials again (Kong's 5 to 10 s). */
const HELD_MS = 4000;
const REDIAL_MS = [5000, 10_000] as const;

/** One data plane that dials until it is let through. @returns monotonic milliseconds when it has a configuration */
export async function dataPlane({ admission, clock, controlPlane, random }: Herd): Promise<number> {
  const { signal } = new AbortController();
  for (;;) {
    const ticket = await admission.enter({ waitMs: HELD_MS, signal });
    if (ticket !== undefined) {
      const openedAt = clock.monotonic();
      await controlPlane.connect();
      ticket.carried(clock.monotonic() - openedAt);
      return clock.monotonic();
    }
    await clock.sleep(REDIAL_MS[0] + random() * (REDIAL_MS[1] - REDIAL_MS[0]));
  }
}
