import type { DependencyContainer } from 'tsyringe';
import type { BootstrapOutcome } from '../bootstrap/outcome.ts';
import type { Bootstrap } from '../bootstrap/pipeline.ts';
import { classify, type FallbackError } from '../errors/index.ts';
import { withDeadline } from '../resilience/index.ts';
import { type BootstrapOptions, createBootstrap } from './bootstrap.ts';
import { type NodeFacts, startNodeService } from './node-service.ts';
import { Part } from './parts.ts';
import { type Get, get as getter } from './tokens.ts';

const CLOSE_DEADLINE_MS = 5000;
/** `kong version` may take 10 s of it; plugins of others may hang while they are created. */
const CREATE_MS = 30_000;
/** Any long time. */
const IDLE_MS = 3_600_000;

/** A new data plane's start. Whoever creates one closes it. */
export class Bootstrapper {
  readonly #parts: DependencyContainer;
  readonly #get: Get;
  readonly #options: BootstrapOptions;
  #bootstrap: Promise<Bootstrap> | undefined;
  #outcome: BootstrapOutcome | undefined;
  /** Milliseconds since 1970. */
  #outcomeAt = 0;
  #handedBackAt: number | undefined;
  #failure: FallbackError | undefined;
  #serving: Promise<void> | undefined;

  constructor(parts: DependencyContainer, options: BootstrapOptions = {}) {
    this.#parts = parts;
    this.#get = getter(parts);
    this.#options = options;
  }

  /**
   * One pass: is the node new, the control plane, storage, the cache.
   *
   * @throws FallbackError `invalid` for settings that cannot work, `aborted`, and what the target throws
   */
  async once(options: { readonly signal: AbortSignal }): Promise<BootstrapOutcome> {
    return this.#concluded(this.#created(options.signal).then((bootstrap) => bootstrap.once(options)));
  }

  /**
   * Until the control plane answers or a snapshot is applied, at most `bootstrap.waitSeconds`.
   *
   * @throws FallbackError as `once`, but for what trying again may mend
   */
  async untilGiven({ signal }: { readonly signal: AbortSignal }): Promise<BootstrapOutcome> {
    const waitMs = this.#get(Part.settings).settings.bootstrap.waitSeconds * 1000;
    const created = this.#created(signal);
    return this.#concluded(created.then((bootstrap) => bootstrap.untilGiven({ signal, waitMs })));
  }

  /**
   * While the node runs on a snapshot: resolves when the control plane is back; at once where none is set.
   *
   * @throws FallbackError `aborted`
   */
  async untilHandedBack(options: { readonly signal: AbortSignal }): Promise<void> {
    await (await this.#created(options.signal)).untilHandedBack(options);
    this.#handedBackAt = this.#get(Part.clock).now();
  }

  /** Health, metrics and status on `service.listen` from here to `close`. Never rejects: a node must start without. */
  serve(): Promise<void> {
    this.#serving ??= startNodeService(this.#get, () => this.#facts());
    return this.#serving;
  }

  /**
   * Serves, bootstraps, past `bootstrap.waitSeconds` for as long as it takes, then watches for the control plane, until
   * the signal fires. Storage is not read again once a configuration was applied.
   *
   * @param onOutcome called with what was reached within `bootstrap.waitSeconds`, and with what came later
   * @throws FallbackError as `untilGiven`; nothing once the signal fired
   */
  async run(stop: AbortSignal, onOutcome: (outcome: BootstrapOutcome) => void = () => {}): Promise<void> {
    await this.serve();
    try {
      let outcome = await this.untilGiven({ signal: stop });
      onOutcome(outcome);
      if (outcome.origin === 'none') {
        const bootstrap = await this.#created(stop);
        outcome = await this.#concluded(
          bootstrap.untilGiven({ signal: stop, waitMs: Number.POSITIVE_INFINITY }),
        );
        onOutcome(outcome);
      }
      if (outcome.applied !== null) await this.untilHandedBack({ signal: stop });
      // A signal alone keeps no process running.
      for (;;) await this.#get(Part.clock).sleep(IDLE_MS, stop);
    } catch (error) {
      if (!stop.aborted) throw error;
    }
  }

  /** What the last bootstrap came to; undefined: none has ended yet. */
  status(): BootstrapOutcome | undefined {
    return this.#outcome;
  }

  /** Closes everything in the reverse order of building, each within 5 s. Watching for the control plane goes on. */
  async close(): Promise<void> {
    const clock = this.#get(Part.clock);
    const opened = async () => this.#serving;
    // What is still being opened would be left open.
    await withDeadline(clock, CLOSE_DEADLINE_MS, new AbortController().signal, 'open', opened).catch(
      () => {},
    );
    await this.#get(Part.lifecycle).close(clock, this.#get(Part.log), CLOSE_DEADLINE_MS);
  }

  async #concluded(outcome: Promise<BootstrapOutcome>): Promise<BootstrapOutcome> {
    try {
      this.#outcome = await outcome;
      this.#failure = undefined;
    } catch (thrown) {
      this.#failure = classify(thrown, 'bootstrap');
      throw thrown;
    }
    this.#outcomeAt = this.#get(Part.clock).now();
    const { origin, reason, ageSeconds, sequence, store, message } = this.#outcome;
    this.#get(Part.log).info(
      { event: 'bootstrap.origin', origin, reason, ageSeconds, sequence, store },
      message,
    );
    return this.#outcome;
  }

  #facts(): NodeFacts {
    return {
      outcome: this.#outcome,
      outcomeAt: this.#outcomeAt,
      ...(this.#handedBackAt !== undefined && { handedBackAt: this.#handedBackAt }),
      ...(this.#failure !== undefined && { failure: this.#failure }),
    };
  }

  #created(signal: AbortSignal): Promise<Bootstrap> {
    this.#bootstrap ??= withDeadline(this.#get(Part.clock), CREATE_MS, signal, 'create the parts', () =>
      createBootstrap(this.#parts, this.#options),
    );
    return this.#bootstrap;
  }
}
