import { healthOf, type ServiceState } from '../observe/metrics-state.ts';

export interface Answer {
  readonly status: number;
  readonly body: object;
}

/** Whether to take requests here: never without something to serve or to publish. */
export function ready({ notReady }: ServiceState): Answer {
  return notReady === null
    ? { status: 200, body: { ready: true } }
    : { status: 503, body: { ready: false, reason: notReady } };
}

/** The three-state answer for a monitor: `failed` is worth waking somebody. */
export function health({ findings }: ServiceState): Answer {
  const status = healthOf(findings);
  return { status: status === 'failed' ? 503 : 200, body: { status, findings } };
}

export function fullStatus(state: ServiceState, version: string): Answer {
  return { status: 200, body: { status: healthOf(state.findings), version, ...state } };
}
