import type { FallbackError } from '../../errors/index.ts';
import type { Clock, Logger } from '../../plugin/plugin.ts';
import type { ControlPlaneView, Verdict } from '../verdict.ts';

export interface VerdictChange {
  readonly view: ControlPlaneView;
  readonly before: ControlPlaneView;
}

/** The verdict as others see it: since when, why, by which address; each change is one line in the log. */
export class WatchView {
  readonly #clock: Clock;
  readonly #log: Logger;
  #view: ControlPlaneView;
  /** Monotonic milliseconds. */
  #changedAt: number;

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
    this.#changedAt = clock.monotonic();
    this.#view = {
      verdict: 'unknown',
      since: clock.now(),
      reason: 'not-asked',
      message: 'the control plane has not been asked yet',
      address: undefined,
    };
  }

  get verdict(): Verdict {
    return this.#view.verdict;
  }

  /** @param address that answered last */
  at(address: string | undefined): ControlPlaneView {
    return this.#view.address === address ? this.#view : { ...this.#view, address };
  }

  /** @param error why, but for `up` */
  become(verdict: Verdict, error: FallbackError | undefined, address: string | undefined): VerdictChange {
    const before = this.at(address);
    const why =
      verdict === 'up' || error === undefined
        ? { reason: 'answers', message: `${address ?? 'the control plane'} answers` }
        : { reason: error.code, message: error.message };
    this.#view = { verdict, since: this.#clock.now(), ...why, address };
    this.#say(before, error);
    return { view: this.#view, before };
  }

  #say(before: ControlPlaneView, error: FallbackError | undefined): void {
    const now = this.#clock.monotonic();
    const lastedSeconds = Math.round((now - this.#changedAt) / 1000);
    this.#changedAt = now;
    const { address, message, reason, verdict } = this.#view;
    const line = {
      event: 'relay.verdict',
      verdict,
      before: before.verdict,
      reason,
      address,
      lastedSeconds,
      ...(error?.hint !== undefined && { hint: error.hint }),
    };
    if (verdict === 'up') this.#log.info(line, `the control plane is up: ${message}`);
    else this.#log.warn(line, `the control plane is ${verdict}: ${message}`);
  }
}
