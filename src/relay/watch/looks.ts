import type { Address } from '../../kong/index.ts';
import type { Clock } from '../../plugin/plugin.ts';
import type { Look, LookDepth } from './look.ts';
import { type AroundAnswer, lookAround } from './look-around.ts';

export interface Flight {
  /** In milliseconds of WatchTime. */
  readonly startedAt: number;
  readonly depth: LookDepth;
}

export interface Landed {
  readonly flight: Flight;
  readonly answer: AroundAnswer;
}

/** Looks that hang side by side: each may be several sockets. */
const MOST_IN_FLIGHT = 8;

/** The looks under way. What they found waits to be taken, in the order of arrival. */
export class WatchLooks {
  readonly #addresses: readonly Address[];
  readonly #look: Look;
  readonly #clock: Clock;
  readonly #onLanded: () => void;
  readonly #flights = new Map<Flight, AbortController>();
  #landed: Landed[] = [];
  #defect: { readonly thrown: unknown } | undefined;

  constructor(addresses: readonly Address[], look: Look, clock: Clock, onLanded: () => void) {
    this.#addresses = addresses;
    this.#look = look;
    this.#clock = clock;
    this.#onLanded = onLanded;
  }

  get full(): boolean {
    return this.#flights.size >= MOST_IN_FLIGHT;
  }

  get oldest(): Flight | undefined {
    return this.#flights.keys().next().value;
  }

  /** @param first text of the address to ask first */
  launch(flight: Flight, deadlineMs: number, first: string | undefined): void {
    const { depth } = flight;
    const end = new AbortController();
    this.#flights.set(flight, end);
    const order = [...this.#addresses].sort((a, b) => Number(b.text === first) - Number(a.text === first));
    lookAround(order, this.#look, this.#clock, { depth, deadlineMs, signal: end.signal })
      .then(
        (answer) => {
          if (this.#flights.delete(flight)) this.#landed.push({ flight, answer });
        },
        (thrown: unknown) => {
          if (this.#flights.delete(flight)) this.#defect = { thrown };
        },
      )
      .finally(this.#onLanded);
  }

  /** @throws what a look threw without having been aborted: a defect, which must not pass for an outage */
  take(): readonly Landed[] {
    if (this.#defect !== undefined) throw this.#defect.thrown;
    return this.#landed.splice(0);
  }

  /** Ends them all and forgets what they found. */
  abort(): void {
    const ends = [...this.#flights.values()];
    this.#flights.clear();
    this.#landed = [];
    for (const end of ends) end.abort();
  }
}
