import type { MetricName } from './metrics-catalogue.ts';
import type { ServiceRelay } from './relay-state.ts';

type Labels = Readonly<Record<string, string>>;

export interface Series {
  set(name: MetricName, value: number, labels?: Labels): void;
  count(name: MetricName, total: number, labels?: Labels): void;
  oneOf(name: MetricName, states: readonly string[], current: string, labels: Labels, label?: string): void;
}

const VERDICTS = ['unknown', 'up', 'doubtful', 'down'];
const SESSION_STATES = ['handshake', 'greeting', 'served', 'current', 'ahead', 'refused'];

/** @param now milliseconds since 1970 */
export function relaySeries(relay: ServiceRelay, { set, count, oneOf }: Series, now: number): void {
  oneOf('kongfallback_relay_verdict_state', VERDICTS, relay.verdict, {}, 'verdict');
  set('kongfallback_relay_verdict_age_seconds', Math.max(0, now - relay.since) / 1000);
  set('kongfallback_relay_held_data_planes', relay.held);
  set('kongfallback_relay_open_tunnels', relay.tunnels.open);
  count('kongfallback_relay_tunnels_total', relay.tunnels.opened);
  if (relay.admission !== null) {
    set('kongfallback_relay_admission_limit', relay.admission.limit);
    set('kongfallback_relay_admission_waiting_data_planes', relay.admission.waiting);
  }
  const { bytesSent, refused, sessions } = relay.standIn;
  for (const state of SESSION_STATES) {
    set('kongfallback_relay_stand_in_sessions', sessions[state] ?? 0, { state });
  }
  count('kongfallback_relay_stand_in_sent_bytes_total', bytesSent);
  for (const [code, total] of Object.entries(refused)) {
    count('kongfallback_relay_stand_in_refusals_total', total, { code });
  }
  for (const { asOf, frameBytes, gatewayVersion, sequence } of relay.copies) {
    const labels = { gateway_version: gatewayVersion };
    set('kongfallback_relay_copy_frame_bytes', frameBytes, labels);
    if (sequence === null || asOf === null) continue;
    set('kongfallback_relay_copy_sequence_number', sequence, labels);
    set('kongfallback_relay_copy_age_seconds', Math.max(0, now - Date.parse(asOf)) / 1000, labels);
  }
}
