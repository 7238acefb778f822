/** Prints each step with its time, and remembers whether everything held. */
export class Story {
  readonly #started = performance.now();
  #last = this.#started;
  #number = 0;

  /** Runs one step; a step that throws ends the story. */
  async step<T>(title: string, work: () => Promise<T>): Promise<T> {
    const result = await work();
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
