// is the node new? ─▶ probe the control plane ─▶ resolve head ─▶ fetch into the cache ─▶ open ─▶ apply ─▶ watch for the
// control plane. Resolve, fetch and open are src/restore.
import { classify, FallbackError } from '../errors/index.ts';
import type { ControlPlaneHealth } from '../kong/probe.ts';
import type { AppliedDocument, Logger, Target } from '../plugin/index.ts';
import { type Clock, type Random, Stopwatch } from '../resilience/index.ts';
import type { RestoredSnapshot } from '../restore/candidate.ts';
import type { DocumentWorker } from '../snapshot/document-worker.ts';
import { apply } from './apply.ts';
import { handBack } from './hand-back.ts';
import { keepTrying } from './keep-trying.ts';
import type { NodeState } from './node-state.ts';
import { type BootstrapOutcome, type Concluded, factsOf, outcomeOf } from './outcome.ts';
import { validate } from './validate.ts';

export interface BootstrapSettings {
  readonly gatewayVersion: string;
  readonly maxDocumentBytes: number;
  /** A head that no exporter wrote to for longer is refused; milliseconds. */
  readonly maxAgeMs: number | undefined;
  /** Also a node that has a configuration. */
  readonly force: boolean;
  /** Between two looks whether the control plane is back, on average; milliseconds. */
  readonly watchMs: number;
}

export interface BootstrapDependencies {
  /** Never throws but for an abort. */
  readonly nodeState: (signal: AbortSignal) => Promise<NodeState>;
  /** Never throws but for an abort. Undefined: the settings name no control plane. */
  readonly probe: ((signal: AbortSignal) => Promise<ControlPlaneHealth>) | undefined;
  /** Snapshots in the order of preference (src/restore/pipeline.ts). */
  readonly restore: (signal: AbortSignal) => AsyncGenerator<RestoredSnapshot, never, undefined>;
  readonly target: Target;
  readonly worker: DocumentWorker;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

export interface KeepTryingOptions {
  readonly signal: AbortSignal;
  /** No further attempt begins after so many milliseconds; 0: there is one. */
  readonly waitMs: number;
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
    const given = await this.#withoutSnapshot(stopwatch, signal);
    return typeof given === 'string' ? this.#fromSnapshots(given, stopwatch, signal) : given;
  }

  /**
   * Until the control plane answers or a snapshot is applied: storage is asked again with pauses, and the control plane
   * beside it; the first of them wins. After that storage is not read again.
   *
   * @throws FallbackError as `once`, but for what trying again may mend
   */
  async untilGiven({ signal, waitMs }: KeepTryingOptions): Promise<BootstrapOutcome> {
    const { clock, random, probe } = this.#deps;
    const stopwatch = new Stopwatch(clock);
    const endsAt = clock.monotonic() + waitMs;
    const reason = await this.#withoutSnapshot(stopwatch, signal);
    if (typeof reason !== 'string') return reason;
    const snapshots = (within: AbortSignal) =>
      this.#orNone(reason, stopwatch, () => this.#fromSnapshots(reason, stopwatch, within));
    const first = await snapshots(signal);
    if (first.origin !== 'none' || waitMs === 0) return first;
    const reachable = async (within: AbortSignal) =>
      (await probe?.(within))?.reachable === true ? this.#fromControlPlane(stopwatch) : undefined;
    return keepTrying(first, { snapshots, probe: probe && reachable, endsAt, clock, random, signal });
  }

  /**
   * While a data plane runs on a snapshot: resolves when the control plane is back, which Kong notices by itself. Where
   * none is set, with the signal.
   *
   * @throws FallbackError `aborted`
   */
  async untilHandedBack({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    const { clock, random, log, probe } = this.#deps;
    if (probe === undefined) return;
    await handBack({ probe, watchMs: this.#settings.watchMs, clock, random, log, signal });
  }

  /** The outcome where storage is not needed; else why the control plane is none. */
  async #withoutSnapshot(stopwatch: Stopwatch, signal: AbortSignal): Promise<BootstrapOutcome | string> {
    const kept = await this.#keptNode(stopwatch, signal);
    if (kept !== undefined) return kept;
    const health = await this.#probe(signal);
    stopwatch.lap('probeMs');
    if (health.reachable) return this.#fromControlPlane(stopwatch);
    const { message, reason, hint } = health;
    this.#deps.log.warn({ event: 'control-plane.unreachable', reason, hint }, `control plane: ${message}`);
    return reason;
  }

  /** The outcome for a node that has a configuration; undefined: it is new. */
  async #keptNode(stopwatch: Stopwatch, signal: AbortSignal): Promise<BootstrapOutcome | undefined> {
    const { log, nodeState } = this.#deps;
    const node = await nodeState(signal);
    stopwatch.lap('nodeMs');
    if (node.state === 'new') {
      log.debug({ event: 'node.new', path: node.path }, `the node is new: ${node.reason}`);
      return undefined;
    }
    const [reason, what] =
      node.state === 'configured'
        ? ['configured', `${node.path} holds a configuration`]
        : [node.error.code, `taken for a node with a configuration: ${node.error.message}`];
    const { force } = this.#settings;
    // A node that is started again is nothing to warn of; one that is not understood, or is to lose what it has, is.
    const level = node.state === 'configured' && !force ? 'info' : 'warn';
    const fields = { event: 'node.configured', path: node.path, reason, force };
    log[level](fields, `${what}${force ? '; forced' : ''}`);
    if (force) return undefined;
    const configHash = node.state === 'configured' ? node.configHash : null;
    return this.#concluded({ origin: 'node', reason, configHash }, stopwatch);
  }

  /** What trying again may mend, such as a disk that is full or a node that is not up yet, as an outcome. */
  async #orNone(
    reason: string,
    stopwatch: Stopwatch,
    attempt: () => Promise<BootstrapOutcome>,
  ): Promise<BootstrapOutcome> {
    try {
      return await attempt();
    } catch (thrown) {
      const error = classify(thrown, 'bootstrap');
      if (error.kind !== 'unavailable') throw error;
      this.#deps.log.error({ event: 'bootstrap.failed', code: error.code, hint: error.hint }, error.message);
      return this.#concluded({ origin: 'none', reason, error }, stopwatch);
    }
  }

  #fromControlPlane(stopwatch: Stopwatch): BootstrapOutcome {
    return this.#concluded({ origin: 'control-plane', reason: 'reachable' }, stopwatch);
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
        const used = await this.#use(restored, signal);
        stopwatch.lap('applyMs');
        if (used === undefined) continue;
        const remembered = await restored.remember();
        const findings = [...restored.findings, ...remembered];
        for (const { code, message, hint } of findings)
          log.warn({ event: 'bootstrap.finding', code, hint }, message);
        const { where: applied, declarativeConfig = null } = used;
        const concluded = { ...factsOf(restored), reason, applied, declarativeConfig, findings };
        return this.#concluded(concluded, stopwatch);
      }
    } catch (thrown) {
      const error = classify(thrown, 'bootstrap');
      if (error.code !== 'KF_RESTORE_FAILED') throw error;
      log.error({ event: 'bootstrap.none' }, error.message);
      return this.#concluded({ origin: 'none', reason, error }, stopwatch);
    }
    throw new TypeError('restoring ends with a snapshot or an error');
  }

  /** What the target did; undefined when this snapshot will not do and the next one is to be tried. */
  async #use(restored: RestoredSnapshot, signal: AbortSignal): Promise<AppliedDocument | undefined> {
    const { clock, log, target, worker } = this.#deps;
    try {
      this.#checkAge(restored);
      if (!restored.authenticated) {
        const { maxDocumentBytes } = this.#settings;
        await validate(restored, { worker, now: clock.now(), maxDocumentBytes, signal });
      }
      return await apply(restored, target, clock, signal);
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

  #concluded(given: Concluded, stopwatch: Stopwatch): BootstrapOutcome {
    return outcomeOf(this.#settings.gatewayVersion, given, stopwatch.laps());
  }
}
