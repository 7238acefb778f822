import type { BootstrapOutcome } from '../bootstrap/outcome.ts';
import type { FallbackError } from '../errors/index.ts';
import { age } from '../observe/age.ts';
import type { ServiceState, ServiceStore, ShownFinding } from '../observe/metrics-state.ts';

export interface NodeHealthFacts {
  readonly cluster: string;
  readonly startedAt: number;
  /** Undefined: the first bootstrap has not ended yet. */
  readonly outcome: BootstrapOutcome | undefined;
  /** When it ended, milliseconds since 1970. */
  readonly outcomeAt: number;
  /** Since when the control plane is back; undefined: it is not, or was never away. */
  readonly handedBackAt?: number;
  /** Why there is no outcome: what it was is broken, and nobody tries again. */
  readonly failure?: FallbackError;
  readonly stores: readonly ServiceStore[];
}

/** A node that keeps running after its bootstrap, as it is seen from outside. */
export function nodeHealth(facts: NodeHealthFacts): ServiceState {
  const { cluster, startedAt, outcome, outcomeAt, handedBackAt, stores, failure } = facts;
  const nothing = { ...NOTHING, cluster, startedAt, stores };
  if (outcome === undefined && failure !== undefined) {
    return { ...nothing, notReady: 'the bootstrap failed', findings: [noConfiguration('node', failure)] };
  }
  if (outcome === undefined) return { ...nothing, notReady: 'the bootstrap is still under way' };
  const { origin, reason, gatewayVersion } = outcome;
  const up = origin === 'control-plane' || handedBackAt !== undefined;
  const since = handedBackAt ?? outcomeAt;
  return {
    ...nothing,
    notReady: origin === 'none' && !up ? 'there is no configuration to start with' : null,
    origin:
      handedBackAt === undefined
        ? { origin, reason, since: outcomeAt }
        : { origin: 'control-plane', reason: 'handed-back', since: handedBackAt },
    lines: [
      {
        gatewayVersion,
        controlPlane: {
          state: up ? 'up' : origin === 'node' ? 'unknown' : 'down',
          since,
          connected: false,
        },
        heads: [],
        exports: null,
      },
    ],
    findings: up ? [] : nodeFindings(outcome, outcomeAt),
  };
}

const NOTHING = {
  role: 'node',
  origin: null,
  lines: [],
  findings: [],
  drills: [],
} as const;

function nodeFindings(outcome: BootstrapOutcome, since: number): ShownFinding[] {
  const { origin, reason, gatewayVersion: about, error, ageSeconds, findings } = outcome;
  const own: ShownFinding[] = [];
  if (origin === 'none') {
    own.push({ ...noConfiguration(about, error), since });
  }
  if (origin === 'storage' || origin === 'cache') {
    own.push({
      code: 'on-fallback',
      about,
      severity: 'warning',
      message: `this node runs on a snapshot from ${origin}, of ${age(ageSeconds ?? 0)} before it was applied; the control plane: ${reason}`,
      hint: 'The data plane takes the configuration of the control plane as soon as that is back.',
      since,
    });
  }
  const restored = findings.map(({ code, message, hint }) => ({
    code,
    about,
    severity: 'warning' as const,
    message,
    ...(hint !== undefined && { hint }),
    since,
  }));
  return [...own, ...restored];
}

const noConfiguration = (about: string, error: FallbackError | undefined): ShownFinding => ({
  code: 'no-configuration',
  about,
  severity: 'critical',
  message: error === undefined ? 'no configuration could be had' : `${error.message} [${error.code}]`,
  ...(error?.hint !== undefined && { hint: error.hint }),
});
