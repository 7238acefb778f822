import type { DependencyContainer } from 'tsyringe';
import type { BootstrapOutcome } from '../bootstrap/outcome.ts';
import { createBootstrap } from './bootstrap.ts';
import { Part } from './parts.ts';
import { type Get, get as getter } from './tokens.ts';

const CLOSE_DEADLINE_MS = 5000;

/** The work of a new node, for programs that embed it. */
export class Bootstrapper {
  readonly #parts: DependencyContainer;
  readonly #get: Get;

  constructor(parts: DependencyContainer) {
    this.#parts = parts;
    this.#get = getter(parts);
  }

  /**
   * Control plane, storage, cache, in this order; the target is given what was restored.
   *
   * @throws FallbackError `invalid` for settings that cannot work, `aborted`, and what the target throws
   */
  async once(options: { readonly signal: AbortSignal }): Promise<BootstrapOutcome> {
    return (await createBootstrap(this.#parts)).once(options);
  }

  /** Closes everything in the reverse order of building, each within 5 s. */
  close(): Promise<void> {
    const [clock, log] = [this.#get(Part.clock), this.#get(Part.log)];
    return this.#get(Part.lifecycle).close(clock, log, CLOSE_DEADLINE_MS);
  }
}
