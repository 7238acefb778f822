import { systemClock } from '../../src/resilience/index.ts';

/** Far more than any step takes: one that hangs is told from a slow machine, and the story ends with a reason. */
const STEP_MS = 30_000;

/** Prints each step with its time. What does not hold, or hangs, ends the story. */
export class Story {
  readonly #started = performance.now();
  #last = this.#started;
  #number = 0;

  /** @throws what the step throws, or an Error that names a step that takes longer than 30 s */
  async step<T>(title: string, work: () => Promise<T>): Promise<T> {
    const done = new AbortController();
    const late = systemClock.sleep(STEP_MS, done.signal).then(() => {
      throw new Error(`did not end within ${STEP_MS / 1000} s: ${title}`);
    });
    late.catch(() => {});
    const result = await Promise.race([work(), late]).finally(() => done.abort());
    const now = performance.now();
    const took = `${Math.round(now - this.#last)} ms`.padStart(8);
    this.#last = now;
    console.log(`${String(++this.#number).padStart(2)}. ${took}  ${title}`);
    return result;
  }

  note(text: string): void {
    for (const line of text.trimEnd().split('\n')) console.log(`              ${line}`);
  }

  end(text: string): void {
    const seconds = ((performance.now() - this.#started) / 1000).toFixed(1);
    console.log(`\n${text}\n\nAll of it held, in ${seconds} s.`);
  }
}

/** @throws Error naming what was promised */
export function hold(condition: boolean, promise: string): void {
  if (!condition) throw new Error(`did not hold: ${promise}`);
}
