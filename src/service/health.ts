import { findingsOf, healthOf, type ServiceState } from '../observe/metrics-state.ts';

export interface Answer {
  readonly status: number;
  readonly body: object;
}

// A process has one role or several; where it has one, the answers speak of that one alone.

/** Whether to take requests here: never without something to serve or to publish. */
export function ready(states: readonly ServiceState[]): Answer {
  const reasons = states.flatMap(({ role, notReady }) =>
    notReady === null ? [] : [states.length === 1 ? notReady : `${role}: ${notReady}`],
  );
  if (reasons.length === 0) return { status: 200, body: { ready: true } };
  return { status: 503, body: { ready: false, reason: reasons.join('; ') } };
}

/** The three-state answer for a monitor: `failed` is worth waking somebody. */
export function health(states: readonly ServiceState[]): Answer {
  const findings = findingsOf(states);
  const status = healthOf(findings);
  return { status: status === 'failed' ? 503 : 200, body: { status, findings } };
}

export function fullStatus(states: readonly ServiceState[], version: string): Answer {
  const status = healthOf(findingsOf(states));
  const [only, ...others] = states.map((state) => ({ status: healthOf(state.findings), ...state }));
  if (only !== undefined && others.length === 0) return { status: 200, body: { version, ...only } };
  return { status: 200, body: { status, version, roles: only === undefined ? [] : [only, ...others] } };
}
