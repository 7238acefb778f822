import { classify, type FallbackError } from '../errors/index.ts';
import type { Logger } from '../plugin/plugin.ts';
import { type Clock, withDeadline } from '../resilience/index.ts';

/** What has to be closed, in the order it was built. tsyringe keeps no such order (dependencies.md). */
export class Lifecycle {
  readonly #closers: { readonly name: string; readonly close: () => Promise<void> | void }[] = [];

  opened(name: string, close: () => Promise<void> | void): void {
    this.#closers.push({ name, close });
  }

  /**
   * Closes in reverse order of building, which is dependency order. Each has the deadline to itself; a slow or
   * failing one is named in the log and never keeps the others from closing.
   */
  async close(clock: Clock, log: Logger, deadlineMs: number): Promise<void> {
    for (const { name, close } of this.#closers.splice(0).reverse()) {
      try {
        await withDeadline(clock, deadlineMs, new AbortController().signal, `close ${name}`, async () =>
          close(),
        );
      } catch (thrown) {
        const error: FallbackError = classify(thrown, `close ${name}`);
        log.warn({ event: 'shutdown.part-failed', part: name, code: error.code }, error.message);
      }
    }
  }
}
