// probe the control plane ─▶ resolve head ─▶ fetch into the cache ─▶ open ─▶ apply. The middle three are src/restore.
import { classify, FallbackError } from '../errors/index.ts';
import type { ControlPlaneHealth } from '../kong/probe.ts';
import type { Logger, Target } from '../plugin/index.ts';
import { type Clock, Stopwatch } from '../resilience/index.ts';
import type { RestoredSnapshot } from '../restore/candidate.ts';
import type { DocumentWorker } from '../snapshot/document-worker.ts';
import { apply } from './apply.ts';
import { type BootstrapOutcome, ORIGIN_SENTENCE } from './outcome.ts';
import { validate } from './validate.ts';

export interface BootstrapSettings {
  readonly gatewayVersion: string;
  readonly maxDocumentBytes: number;
  /** A head that no exporter wrote to for longer is refused; milliseconds. */
  readonly maxAgeMs: number | undefined;
}

export interface BootstrapDependencies {
  /** Never throws but for an abort. Undefined: the settings name no control plane. */
  readonly probe: ((signal: AbortSignal) => Promise<ControlPlaneHealth>) | undefined;
  /** Snapshots in the order of preference (src/restore/pipeline.ts). */
  readonly restore: (signal: AbortSignal) => AsyncGenerator<RestoredSnapshot, never, undefined>;
  readonly target: Target;
  readonly worker: DocumentWorker;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Configures one new data plane, from storage when its control plane does not answer. */
export class Bootstrap {
  readonly #settings: BootstrapSettings;
  readonly #deps: BootstrapDependencies;

  constructor(settings: BootstrapSettings, deps: BootstrapDependencies) {
    this.#settings = settings;
    this.#deps = deps;
  }

  /**
   * One pass. An outcome with origin `none` carries the error that explains it; nothing was changed then.
   *
   * @throws FallbackError `aborted`, and what the target throws: an older snapshot would not help a full disk
   */
  async once({ signal }: { readonly signal: AbortSignal }): Promise<BootstrapOutcome> {
    const stopwatch = new Stopwatch(this.#deps.clock);
    const health = await this.#probe(signal);
    stopwatch.lap('probeMs');
    if (health.reachable) return this.#concluded({ origin: 'control-plane', reason: 'reachable' }, stopwatch);
    this.#deps.log.warn(
      { event: 'control-plane.unreachable', reason: health.reason, hint: health.hint },
      `control plane: ${health.message}`,
    );
    return this.#fromSnapshots(health.reason, stopwatch, signal);
  }

  async #probe(signal: AbortSignal): Promise<ControlPlaneHealth> {
    const { probe } = this.#deps;
    if (probe !== undefined) return probe(signal);
    return { reachable: false, reason: 'KF_CP_NOT_SET', message: 'none is set', durationMs: 0 };
  }

  async #fromSnapshots(reason: string, stopwatch: Stopwatch, signal: AbortSignal): Promise<BootstrapOutcome> {
    const { restore, log } = this.#deps;
    try {
      for await (const restored of restore(signal)) {
        stopwatch.lap('restoreMs');
        const where = await this.#use(restored, signal);
        stopwatch.lap('applyMs');
        if (where === undefined) continue;
        const remembered = await restored.remember();
        const findings = [...restored.findings, ...remembered];
        for (const { code, message, hint } of findings)
          log.warn({ event: 'bootstrap.finding', code, hint }, message);
        return this.#concluded({ ...facts(restored), reason, applied: where, findings }, stopwatch);
      }
    } catch (thrown) {
      const error = classify(thrown, 'bootstrap');
      if (error.code !== 'KF_RESTORE_FAILED') throw error;
      return this.#concluded({ origin: 'none', reason, error }, stopwatch);
    }
    throw new TypeError('restoring ends with a snapshot or an error');
  }

  /** Where it was applied; undefined when this snapshot will not do and the next one is to be tried. */
  async #use(restored: RestoredSnapshot, signal: AbortSignal): Promise<string | undefined> {
    const { clock, log, target, worker } = this.#deps;
    try {
      this.#checkAge(restored);
      if (!restored.authenticated) {
        const { maxDocumentBytes } = this.#settings;
        await validate(restored, { worker, now: clock.now(), maxDocumentBytes, signal });
      }
      return (await apply(restored, target, clock, signal)).where;
    } catch (thrown) {
      const error = classify(thrown, `snapshot ${restored.entry.key}`);
      const itsOwnFault =
        restored.streamError !== undefined || error.kind === 'corrupt' || error.kind === 'unsupported';
      if (error.kind === 'aborted' || !itsOwnFault) throw error;
      restored.refuse(error);
      log.error(
        { event: 'bootstrap.snapshot-refused', code: error.code, key: restored.entry.key },
        error.message,
      );
      return undefined;
    }
  }

  #checkAge({ head }: RestoredSnapshot): void {
    const { maxAgeMs } = this.#settings;
    const silentMs = this.#deps.clock.now() - Date.parse(head.aliveAt);
    if (maxAgeMs === undefined || silentMs <= maxAgeMs) return;
    throw new FallbackError(
      'unsupported',
      'KF_HEAD_STALE',
      `no exporter wrote this head for ${Math.round(silentMs / 1000)} s, and bootstrap.maxAgeSeconds is ${maxAgeMs / 1000}`,
      { hint: 'Look for the exporter; or raise bootstrap.maxAgeSeconds to start with an old configuration.' },
    );
  }

  #concluded(
    given: Partial<BootstrapOutcome> & Pick<BootstrapOutcome, 'origin' | 'reason'>,
    stopwatch: Stopwatch,
  ): BootstrapOutcome {
    return {
      message: ORIGIN_SENTENCE[given.origin],
      gatewayVersion: this.#settings.gatewayVersion,
      sequence: null,
      configHash: null,
      counts: null,
      ageSeconds: null,
      confirmedAt: null,
      store: null,
      authenticated: null,
      applied: null,
      findings: [],
      requests: null,
      ...given,
      timings: stopwatch.laps(),
    };
  }
}

function facts(restored: RestoredSnapshot): Partial<BootstrapOutcome> & Pick<BootstrapOutcome, 'origin'> {
  const { origin, head, entry, authenticated, ageMs, storeId, requests } = restored;
  return {
    origin,
    sequence: head.sequence,
    configHash: entry.configHash,
    counts: entry.counts,
    ageSeconds: Math.round(ageMs / 1000),
    confirmedAt: head.confirmedAt,
    store: storeId,
    authenticated,
    requests,
  };
}
