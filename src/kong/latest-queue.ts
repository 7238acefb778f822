/**
 * Holds one value: the newest not yet taken. A configuration replaces the one before it entirely, so a consumer
 * that is slow misses nothing by never seeing what was superseded, and memory stays bounded. For one consumer.
 */
export class LatestQueue<T> {
  #value: { readonly item: T } | undefined;
  #end: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  push(item: T): void {
    if (this.#end !== undefined) return;
    this.#value = { item };
    this.#wake?.();
  }

  /** Ends the sequence after what is waiting; with an error, by throwing it. The first end counts. */
  end(error?: unknown): void {
    this.#end ??= { error };
    this.#wake?.();
  }

  async *items(): AsyncGenerator<T, void, undefined> {
    for (;;) {
      const value = this.#value;
      if (value !== undefined) {
        this.#value = undefined;
        yield value.item;
      } else if (this.#end === undefined) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      } else if (this.#end.error === undefined) return;
      else throw this.#end.error;
    }
  }
}
