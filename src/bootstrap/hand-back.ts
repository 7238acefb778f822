// Last step: the data plane runs on a snapshot and dials the control plane itself; this only notices when it is back.
import type { ControlPlaneHealth } from '../kong/probe.ts';
import type { Logger } from '../plugin/index.ts';
import type { Clock, Random } from '../resilience/index.ts';

export interface HandBack {
  readonly probe: (signal: AbortSignal) => Promise<ControlPlaneHealth>;
  /**
   * Between two looks, on average. Each look that finds it makes a control plane send its whole configuration, and a
   * fleet looks at once: so it is rare, spread, and ends with the first success.
   */
  readonly watchMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** @throws FallbackError `aborted` */
export async function handBack(options: HandBack): Promise<void> {
  const { probe, watchMs, clock, random, log, signal } = options;
  const started = clock.monotonic();
  for (;;) {
    await clock.sleep(watchMs * (0.5 + random()), signal);
    const health = await probe(signal);
    if (!health.reachable) {
      log.debug(
        { event: 'control-plane.unreachable', reason: health.reason },
        `control plane: ${health.message}`,
      );
      continue;
    }
    const afterSeconds = Math.round((clock.monotonic() - started) / 1000);
    log.info(
      { event: 'hand-back', address: health.address, configHash: health.configHash, afterSeconds },
      `the control plane is back after ${afterSeconds} s; the data plane takes its configuration from there`,
    );
    return;
  }
}
