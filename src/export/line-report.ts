import { classify, type FallbackError } from '../errors/index.ts';
import type { Findings } from '../observe/index.ts';
import type { Logger } from '../plugin/index.ts';
import type { Clock } from '../resilience/index.ts';
import type { Head } from '../snapshot/head.ts';
import { LineFindings } from './line-findings.ts';
import type { LineStatus } from './line-status.ts';
import type { ExportOutcome } from './outcome.ts';

/** A configuration that is refused for so long is critical: the backup grows old unnoticed. */
const BLOCKED_CRITICAL_MS = 900_000;

export interface LineReportDependencies {
  readonly clock: Clock;
  readonly log: Logger;
  readonly findings: Findings;
  readonly status: LineStatus;
}

/** What happens to a line that is followed, told in its three places: the log, its status, its findings. */
export class LineReport {
  readonly #version: string;
  readonly #deps: LineReportDependencies;
  readonly #findings: LineFindings;

  constructor(gatewayVersion: string, deps: LineReportDependencies) {
    this.#version = gatewayVersion;
    this.#deps = deps;
    this.#findings = new LineFindings(deps.findings, gatewayVersion);
  }

  /** No session, or one that says nothing. */
  lost(error: FallbackError): void {
    this.#findings.unreachable(error);
    if (!this.#deps.status.controlPlane('down', this.#deps.clock.now())) return;
    this.#deps.log.warn({ event: 'control-plane.down', code: error.code, hint: error.hint }, error.message);
  }

  /** Since the control plane is known to be down; 0: it is not. */
  downMs(): number {
    const { clock, status } = this.#deps;
    const { controlPlane, controlPlaneSince } = status.state;
    return controlPlane === 'down' ? Math.max(0, clock.now() - controlPlaneSince) : 0;
  }

  heard(): void {
    this.#findings.heard();
    if (!this.#deps.status.controlPlane('up', this.#deps.clock.now())) return;
    this.#deps.log.info({ event: 'control-plane.up' }, 'the control plane sends configurations');
  }

  /** @throws FallbackError what an abort by the signal threw: that is no failure */
  storesFail(thrown: unknown, signal: AbortSignal): void {
    this.#findings.storesFail(failure(thrown, 'stores', signal));
  }

  /**
   * A configuration could not be stored.
   *
   * @throws FallbackError as `storesFail`
   */
  failed(thrown: unknown, signal: AbortSignal): void {
    const { clock, log, status } = this.#deps;
    const error = failure(thrown, 'export', signal);
    this.#findings.storesFail(error);
    status.count('failed', clock.now());
    status.update({ pendingSince: status.state.pendingSince ?? clock.now() });
    log.error({ event: 'export.failed', code: error.code, hint: error.hint }, error.message);
  }

  /** @param head as it is known now */
  settled(outcome: ExportOutcome, head: Head | undefined): void {
    const { clock, log, status } = this.#deps;
    status.head(head);
    status.count(outcome.outcome, clock.now());
    const blockedSince = outcome.outcome === 'refused' ? (status.state.blockedSince ?? clock.now()) : null;
    status.update({ blockedSince, lastExportMs: outcome.timings['totalMs'] ?? null });
    const blockedMs = blockedSince === null ? 0 : clock.now() - blockedSince;
    this.#findings.settled(outcome, blockedMs, BLOCKED_CRITICAL_MS);
    this.#findings.held(outcome, head?.hold ?? null);
    const { configHash, sequence, counts, timings } = outcome;
    const fields = {
      gatewayVersion: this.#version,
      configHash,
      sequence,
      // A confirmation every ten minutes has nothing new to count.
      ...(outcome.outcome === 'published' && { counts }),
      durationMs: timings['totalMs'],
    };
    log.info({ event: `export.${outcome.outcome}`, ...fields }, `configuration ${outcome.outcome}`);
  }

  /** @throws FallbackError as `storesFail` */
  housekeepingFailed(thrown: unknown, signal: AbortSignal): void {
    const { code, message } = failure(thrown, 'housekeeping', signal);
    this.#deps.log.warn({ event: 'housekeeping.failed', code }, message);
  }
}

/** A plugin that says `aborted` of itself has failed. */
function failure(thrown: unknown, what: string, signal: AbortSignal): FallbackError {
  const error = classify(thrown, what);
  if (error.kind === 'aborted' && signal.aborted) throw error;
  return error;
}
