// What a long-running process tells of itself: health, metrics and /status are made from this and nothing else. Plain
// data, put together by whoever runs the role; times are milliseconds since 1970, ages milliseconds.
import type { FindingSeverity } from './findings.ts';
import type { ServiceRelay } from './relay-state.ts';

export interface ServiceState {
  readonly role: 'exporter' | 'node' | 'relay';
  readonly cluster: string;
  /** When the process began with its role. */
  readonly startedAt: number;
  /** Has it something to serve, or to publish? Null: it has; else why not, in a few words. */
  readonly notReady: string | null;
  /** Null: this role has none. */
  readonly origin: ServiceOrigin | null;
  readonly lines: readonly ServiceLine[];
  readonly stores: readonly ServiceStore[];
  readonly findings: readonly ShownFinding[];
  readonly drills: readonly ServiceDrill[];
  /** Of the relay alone. */
  readonly relay?: ServiceRelay;
}

/** Where the running configuration came from (design §2). */
export interface ServiceOrigin {
  readonly origin: 'control-plane' | 'storage' | 'cache' | 'node' | 'none';
  readonly since: number;
  /** Stable code of why it is this one. */
  readonly reason: string;
}

/** One gateway version, as far as this process knows it. */
export interface ServiceLine {
  readonly gatewayVersion: string;
  readonly controlPlane: {
    readonly state: 'unknown' | 'up' | 'down';
    readonly since: number;
    /** A session stands; it may be silent. */
    readonly connected: boolean;
  };
  /** One for each store that was looked at; a node that runs reads none. */
  readonly heads: readonly HeadState[];
  /** Null: this role exports nothing. */
  readonly exports: ServiceExports | null;
}

export interface HeadState {
  readonly store: string;
  /**
   * - `verified`: it is there and is what it says
   * - `missing`: there is none
   * - `refused`: what is there cannot be trusted or understood
   * - `unreadable`: the store did not give it
   * - `unknown`: nobody has looked yet
   */
  readonly state: 'verified' | 'missing' | 'refused' | 'unreadable' | 'unknown';
  /** For `refused` and `unreadable`. */
  readonly error: { readonly code: string; readonly message: string; readonly hint?: string } | null;
  /** The last one that was verified, which may be older than `state`. */
  readonly head: HeadFacts | null;
}

export interface HeadFacts {
  readonly sequence: number;
  /** A trusted key signed it. */
  readonly authenticated: boolean;
  readonly writer: string;
  readonly nonce: string;
  /** Since an exporter wrote it, and since a session of the control plane last proved it, by the store's clock. */
  readonly aliveAgeMs: number;
  readonly confirmedAgeMs: number;
  /** As the exporter saw it. */
  readonly controlPlane: { readonly state: 'up' | 'down'; readonly since: string };
  readonly snapshots: number;
  readonly current: {
    readonly documentSha256: string;
    readonly configHash: string | null;
    readonly documentBytes: number;
    readonly exportedAt: string;
    readonly counts: Readonly<Record<string, number>>;
    /** From then on no data plane loads it. */
    readonly loadableUntil: string | null;
  };
  /** A rollback in force. */
  readonly hold: {
    readonly by: string;
    readonly reason: string;
    readonly since: string;
    readonly until: string | null;
  } | null;
  /** The store's clock less ours; null: it tells none. */
  readonly clockOffsetMs: number | null;
}

export interface ServiceExports {
  /** Outcomes so far, and `failed`. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly lastOutcome: string | null;
  readonly lastOutcomeAt: number | null;
  /** Since when configurations are refused; null: they are not. */
  readonly blockedSince: number | null;
  /** Since when a configuration waits for a store; null: none does. */
  readonly pendingSince: number | null;
}

/** Totals since the start; each attempt counts. */
export interface ServiceStore {
  readonly store: string;
  readonly breaker: 'closed' | 'open' | 'half-open';
  readonly requests: Readonly<Record<'get' | 'put' | 'list' | 'delete', number>>;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/** A standing finding; `since` is missing where a single look cannot tell. */
export interface ShownFinding {
  readonly code: string;
  readonly about: string;
  readonly severity: FindingSeverity;
  readonly message: string;
  readonly hint?: string;
  readonly since?: number;
}

export interface ServiceDrill {
  readonly gatewayVersion: string;
  /** Id of the storage; null: the cache. */
  readonly store: string | null;
  /**
   * - `passed`: the current configuration was restored
   * - `older`: an older one was, the current one could not be
   * - `empty`: there is no cache yet
   * - `failed`: nothing could be restored
   */
  readonly verdict: 'passed' | 'older' | 'empty' | 'failed';
  readonly at: number;
  readonly timings: { readonly resolveMs: number; readonly fetchMs: number; readonly openMs: number };
}

export type HealthStatus = 'ok' | 'degraded' | 'failed';

/** A critical finding is a failure, any other degrades. */
export function healthOf(findings: readonly Pick<ShownFinding, 'severity'>[]): HealthStatus {
  if (findings.some(({ severity }) => severity === 'critical')) return 'failed';
  return findings.length === 0 ? 'ok' : 'degraded';
}

/** Of all roles of a process: what two of them noticed stands once, as the one that takes it more seriously tells it. */
export function findingsOf(states: readonly Pick<ServiceState, 'findings'>[]): readonly ShownFinding[] {
  const teller = new Map<string, { readonly at: number; readonly severity: FindingSeverity }>();
  for (const [at, { findings }] of states.entries()) {
    for (const finding of findings) {
      const former = teller.get(keyOf(finding));
      const isWorse = finding.severity === 'critical' && former?.severity === 'warning';
      if (former === undefined || isWorse) teller.set(keyOf(finding), { at, severity: finding.severity });
    }
  }
  return states.flatMap(({ findings }, at) =>
    findings.filter((finding) => teller.get(keyOf(finding))?.at === at),
  );
}

const keyOf = ({ code, about }: ShownFinding): string => JSON.stringify([code, about]);
