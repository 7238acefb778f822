import type { Logger } from '../../plugin/plugin.ts';
import type { Clock, Random } from '../../resilience/index.ts';

export interface HandBackOptions {
  readonly form: 'service' | 'sidecar';
  /** Sidecar: given back at a random moment within so long. */
  readonly windowMs: number;
  /** Data planes that the stand-in holds. */
  readonly held: () => number;
  /** Closes so many of them, oldest first; says how many it closed. */
  readonly release: (count: number) => number;
  /** Data planes that went through to the control plane so far. */
  readonly admitted: () => number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** A data plane that is let go dials again after 5 to 10 s (Kong's constant); a round is a little longer. */
const ROUND_MS = 11_000;
const TICK_MS = 1000;
/**
 * Should the door send them all back, so many TLS handshakes come in a second: 250 take some 0.4 s of a core. With 100,
 * the last of 500 was let go after 4 s and back 14 s after the verdict; dialling again takes up to 10 s by itself.
 */
const MOST_PER_TICK = 250;
/** Of those that come back, the ones that are not admitted are held again: later rounds follow the pace. */
const LEAST_PER_ROUND = 10;

/**
 * Gives data planes back to a control plane that returned. They leave a healthy connection only when it is closed, so
 * that is done, at a pace; who of them is let through when it dials again is decided at the door (admission.ts).
 */
export class HandBack {
  readonly #options: HandBackOptions;

  constructor(options: HandBackOptions) {
    this.#options = options;
  }

  /**
   * For as long as the control plane is up: also later ones that the door sent to the stand-in are given back.
   *
   * @throws FallbackError the abort: the control plane went down again, or the relay stops
   */
  async run(signal: AbortSignal): Promise<never> {
    const { clock, form, held, log, random, windowMs } = this.#options;
    const waitMs = form === 'sidecar' && held() > 0 ? random() * windowMs : 0;
    if (held() > 0) {
      log.info(
        { event: 'relay.hand-back', dataPlanes: held(), waitSeconds: Math.round(waitMs / 1000) },
        'the control plane is back: data planes are given back to it',
      );
    }
    await clock.sleep(waitMs, signal);
    for (;;) {
      if (held() > 0) await this.#giveBack(signal);
      else await clock.sleep(TICK_MS, signal);
    }
  }

  /** Until nobody is held and all who were let go had the time to dial again. */
  async #giveBack(signal: AbortSignal): Promise<void> {
    const { admitted, clock, held, log } = this.#options;
    const startedAt = clock.monotonic();
    let budget = Number.POSITIVE_INFINITY;
    do {
      const before = admitted();
      await this.#round(budget, signal);
      budget = Math.max(LEAST_PER_ROUND, 2 * (admitted() - before));
    } while (held() > 0);
    log.info(
      { event: 'relay.handed-back', tookMs: Math.round(clock.monotonic() - startedAt) },
      'the stand-in holds no data plane any more',
    );
  }

  async #round(budget: number, signal: AbortSignal): Promise<void> {
    const { clock, release } = this.#options;
    const endsAt = clock.monotonic() + ROUND_MS;
    for (let left = budget; clock.monotonic() < endsAt; ) {
      left -= release(Math.min(MOST_PER_TICK, left));
      await clock.sleep(TICK_MS, signal);
    }
  }
}
