import type { Clock } from '../resilience/index.ts';

/** What is under way when a service stops may go on for so long. */
export class Grace {
  readonly #ending = new AbortController();
  readonly #stop: AbortSignal;
  readonly #start: () => void;

  constructor(stop: AbortSignal, graceMs: number, clock: Clock) {
    this.#stop = stop;
    this.#start = () => {
      clock.sleep(graceMs, this.#ending.signal).then(
        () => this.#ending.abort(),
        () => {},
      );
    };
    stop.addEventListener('abort', this.#start, { once: true });
  }

  /** Of what is under way: fires so long after the service was told to stop. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  end(): void {
    this.#ending.abort();
    this.#stop.removeEventListener('abort', this.#start);
  }
}
