import type { ServiceState, ServiceStore, ShownFinding } from '../observe/metrics-state.ts';
import type { ServiceRelay } from '../observe/relay-state.ts';

export interface RelayHealthFacts {
  readonly cluster: string;
  readonly startedAt: number;
  readonly gatewayVersions: readonly string[];
  readonly stores: readonly ServiceStore[];
  readonly findings: readonly ShownFinding[];
  /** Undefined: it is still starting. */
  readonly relay: ServiceRelay | undefined;
}

/** A relay as it is seen from outside. Its readiness hangs on nothing outside: it is needed most when all is away. */
export function relayHealth(facts: RelayHealthFacts): ServiceState {
  const { cluster, startedAt, gatewayVersions, stores, findings, relay } = facts;
  const common = { role: 'relay', cluster, startedAt, stores, drills: [] } as const;
  if (relay === undefined) {
    return { ...common, findings, notReady: 'it is still starting', origin: null, lines: [] };
  }
  const { copies, reason, since, verdict } = relay;
  const [served] = copies.filter(({ origin }) => origin !== null);
  const isDown = verdict === 'down';
  return {
    ...common,
    findings: isDown ? [...findings, standingIn(relay, served !== undefined)] : findings,
    notReady:
      isDown && served === undefined
        ? 'the control plane is down, and there is no stored configuration'
        : null,
    origin: {
      origin: isDown ? (served?.origin ?? 'none') : 'control-plane',
      since,
      reason,
    },
    lines: gatewayVersions.map((gatewayVersion) => ({
      gatewayVersion,
      controlPlane: {
        state: verdict === 'doubtful' || verdict === 'unknown' ? 'unknown' : verdict,
        since,
        connected: relay.tunnels.open > 0,
      },
      heads: [],
      exports: null,
    })),
    relay,
  };
}

function standingIn({ message, since }: ServiceRelay, serves: boolean): ShownFinding {
  return {
    code: serves ? 'standing-in' : 'nothing-to-stand-in-with',
    about: 'control-plane',
    severity: serves ? 'warning' : 'critical',
    message: serves
      ? `the relay stands in with stored configurations: ${message}`
      : `the control plane is down and there is no stored configuration: data planes that are new get nothing: ${message}`,
    hint: serves
      ? 'Bring the control plane back; data planes are then given back to it by themselves.'
      : 'Bring the control plane back. Does an exporter run for these gateway versions, and may the relay read the storage?',
    since,
  };
}
