import type { Clock } from '../../resilience/index.ts';

const EVERY_MS = 60_000;

/** Says the first of many alike at once, and the others as a count, once a minute. */
export class ListenerCount {
  readonly #clock: Clock;
  readonly #stopped: AbortSignal;
  readonly #say: (count: number) => void;
  #count = 0;
  #waits = false;

  constructor(clock: Clock, stopped: AbortSignal, say: (count: number) => void) {
    this.#clock = clock;
    this.#stopped = stopped;
    this.#say = say;
  }

  add(): void {
    this.#count++;
    if (!this.#waits) this.#tell();
  }

  #tell(): void {
    this.#waits = this.#count > 0;
    if (!this.#waits) return;
    this.#say(this.#count);
    this.#count = 0;
    this.#clock.sleep(EVERY_MS, this.#stopped).then(
      () => this.#tell(),
      () => {},
    );
  }
}
