import { aborted } from '../resilience/index.ts';

/** Events of one loop, taken one at a time in order. */
export class EventQueue<T> {
  readonly #waiting: T[] = [];
  #wake: (() => void) | undefined;

  /** @param replaces drops the waiting events that this one makes pointless */
  put(event: T, replaces: (waiting: T) => boolean = () => false): void {
    for (let index = this.#waiting.length - 1; index >= 0; index--) {
      if (replaces(this.#waiting[index] as T)) this.#waiting.splice(index, 1);
    }
    this.#waiting.push(event);
    this.#wake?.();
  }

  /** Removes and returns the first waiting event that fits; undefined: there is none now. */
  takeNow(fits: (event: T) => boolean): T | undefined {
    const index = this.#waiting.findIndex(fits);
    return index < 0 ? undefined : this.#waiting.splice(index, 1)[0];
  }

  /** @throws FallbackError `aborted` */
  async take(signal: AbortSignal): Promise<T> {
    for (;;) {
      if (signal.aborted) throw aborted(signal);
      const next = this.#waiting.shift();
      if (next !== undefined) return next;
      await this.#arrival(signal);
    }
  }

  #arrival(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        signal.removeEventListener('abort', done);
        this.#wake = undefined;
        resolve();
      };
      this.#wake = done;
      signal.addEventListener('abort', done, { once: true });
    });
  }
}
