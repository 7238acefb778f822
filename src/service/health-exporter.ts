import type { LineStatus } from '../export/line-status.ts';
import type { Findings } from '../observe/index.ts';
import type { ServiceDrill, ServiceLine, ServiceState } from '../observe/metrics-state.ts';
import type { Breaker, Clock } from '../resilience/index.ts';
import type { GuardedStore } from '../snapshot/guarded-store.ts';
import type { HeadWatches } from '../status/head-watches.ts';
import { lineFindings } from '../status/line-findings.ts';
import { storeStates } from './health-stores.ts';

export interface ExporterHealthParts {
  readonly cluster: string;
  /** Grows while the lines are being created. */
  readonly statuses: readonly LineStatus[];
  readonly heads: HeadWatches;
  readonly findings: Findings;
  readonly stores: readonly GuardedStore[];
  readonly breakers: ReadonlyMap<string, Breaker>;
  readonly confirmIntervalMs: number;
  readonly clock: Clock;
}

/** A running exporter as it is seen from outside. */
export class ExporterHealth {
  readonly #parts: ExporterHealthParts;
  readonly #startedAt: number;
  readonly #drills = new Map<string, ServiceDrill>();
  /** Findings that this made of what the heads say: code and what it is about. */
  #raised: readonly { readonly code: string; readonly about: string }[] = [];

  constructor(parts: ExporterHealthParts) {
    this.#parts = parts;
    this.#startedAt = parts.clock.now();
  }

  drilled(result: ServiceDrill): void {
    this.#drills.set(`${result.gatewayVersion} ${result.store ?? ''}`, result);
  }

  /** Looks at the heads as they were last seen, and raises or clears the findings that follow from them. */
  look(): ServiceState {
    const { cluster, statuses, stores, breakers, findings, clock } = this.#parts;
    const lines = statuses.map((status) => this.#line(status));
    this.#raise(lines, clock.now());
    return {
      role: 'exporter',
      cluster,
      startedAt: this.#startedAt,
      notReady: notReady(lines),
      origin: null,
      lines,
      stores: storeStates(stores, breakers),
      findings: findings.list(),
      drills: [...this.#drills.values()],
    };
  }

  #line({ state }: LineStatus): ServiceLine {
    const { gatewayVersion, controlPlane, controlPlaneSince, connected } = state;
    const { exports, lastOutcome, lastOutcomeAt, blockedSince, pendingSince } = state;
    return {
      gatewayVersion,
      controlPlane: { state: controlPlane, since: controlPlaneSince, connected },
      heads: this.#parts.heads.states(gatewayVersion),
      exports: { outcomes: exports, lastOutcome, lastOutcomeAt, blockedSince, pendingSince },
    };
  }

  #raise(lines: readonly ServiceLine[], now: number): void {
    const { findings, confirmIntervalMs } = this.#parts;
    const standing = lines.flatMap(({ gatewayVersion, heads }) =>
      lineFindings(gatewayVersion, heads, { confirmIntervalMs, now }),
    );
    for (const { code, about } of this.#raised) {
      if (standing.every((finding) => finding.code !== code || finding.about !== about))
        findings.clear(code, about);
    }
    for (const finding of standing) findings.raise(finding);
    this.#raised = standing;
  }
}

/** One line with a head is enough: a line that was added today must not take the others out of service. */
function notReady(lines: readonly ServiceLine[]): string | null {
  if (lines.some(({ heads }) => heads.some(({ head }) => head !== null))) return null;
  return 'nothing was published or confirmed, and no head could be read, for any gateway version yet';
}
