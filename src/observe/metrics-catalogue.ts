// Every metric, once: name, type, labels and help. README.md of this folder holds the same table, and a test compares.

export interface MetricDescription {
  readonly type: 'gauge' | 'counter' | 'histogram';
  readonly labels: readonly string[];
  readonly help: string;
  /** Each role has a value of its own: where a process has several roles, a label `role` is added. */
  readonly perRole?: true;
}

const LINE = ['gateway_version'] as const;
const HEAD = ['gateway_version', 'store'] as const;

export const METRICS = {
  kongfallback_build_info: {
    type: 'gauge',
    labels: ['version', 'node_version', 'role', 'cluster'],
    help: 'What runs here; always 1.',
  },
  kongfallback_process_start_timestamp_seconds: {
    type: 'gauge',
    labels: [],
    help: 'When the process took up its role, in seconds since 1970.',
  },
  kongfallback_process_cpu_seconds_total: {
    type: 'counter',
    labels: [],
    help: 'CPU time of the process, its worker threads included.',
  },
  kongfallback_process_resident_memory_bytes: {
    type: 'gauge',
    labels: [],
    help: 'Resident memory of the process.',
  },
  kongfallback_process_event_loop_lag_seconds: {
    type: 'gauge',
    labels: ['quantile'],
    help: 'Delay of the event loop since the last scrape.',
  },
  kongfallback_service_health_state: {
    type: 'gauge',
    labels: ['state'],
    help: '1 for the state that /health answers with: ok, degraded or failed.',
  },
  kongfallback_service_ready_state: {
    type: 'gauge',
    labels: [],
    help: '1 when there is something to serve or to publish.',
  },
  kongfallback_service_standing_findings: {
    type: 'gauge',
    labels: ['code', 'severity'],
    help: 'Findings that stand now.',
  },
  kongfallback_control_plane_state: {
    type: 'gauge',
    labels: [...LINE, 'state'],
    help: '1 for the state of the control plane: up, down or unknown. Connected and silent is down.',
    perRole: true,
  },
  kongfallback_control_plane_state_age_seconds: {
    type: 'gauge',
    labels: LINE,
    help: 'How long it has been in that state.',
    perRole: true,
  },
  kongfallback_control_plane_open_sessions: {
    type: 'gauge',
    labels: LINE,
    help: '1 while a session stands, which may be silent.',
    perRole: true,
  },
  kongfallback_head_readable_state: {
    type: 'gauge',
    labels: [...HEAD, 'state'],
    help: '1 for what the last look at the head found: verified, missing, refused, unreadable or unknown.',
    perRole: true,
  },
  kongfallback_head_alive_age_seconds: {
    type: 'gauge',
    labels: HEAD,
    help: 'Since an exporter last wrote the head (aliveAt), by the clock of the store.',
    perRole: true,
  },
  kongfallback_head_confirmed_age_seconds: {
    type: 'gauge',
    labels: HEAD,
    help: 'Since a fresh session last proved that the head is what the control plane sends (confirmedAt).',
    perRole: true,
  },
  kongfallback_head_sequence_number: {
    type: 'gauge',
    labels: HEAD,
    help: 'Sequence of the head.',
    perRole: true,
  },
  kongfallback_head_listed_snapshots: {
    type: 'gauge',
    labels: HEAD,
    help: 'Snapshots that the head lists.',
    perRole: true,
  },
  kongfallback_configuration_entities: {
    type: 'gauge',
    labels: [...LINE, 'collection'],
    help: 'Entities of the published configuration; beyond 64 collections as collection "other".',
    perRole: true,
  },
  kongfallback_configuration_document_bytes: {
    type: 'gauge',
    labels: LINE,
    help: 'Size of the published configuration, uncompressed.',
    perRole: true,
  },
  kongfallback_configuration_loadable_until_timestamp_seconds: {
    type: 'gauge',
    labels: LINE,
    help: 'From then on data planes reject the published configuration; absent when nothing in it expires.',
    perRole: true,
  },
  kongfallback_configuration_hold_state: {
    type: 'gauge',
    labels: LINE,
    help: '1 while a rollback is in force.',
    perRole: true,
  },
  kongfallback_export_outcomes_total: {
    type: 'counter',
    labels: [...LINE, 'outcome'],
    help: 'Received configurations by what came of them.',
  },
  kongfallback_export_duration_seconds: {
    type: 'histogram',
    labels: [...LINE, 'outcome'],
    help: 'From the arrival of a configuration to the last store, failures left out.',
  },
  kongfallback_export_blocked_age_seconds: {
    type: 'gauge',
    labels: LINE,
    help: 'Since configurations are refused; 0 while they are not.',
  },
  kongfallback_export_pending_age_seconds: {
    type: 'gauge',
    labels: LINE,
    help: 'Since a configuration waits for a store; 0 while none does.',
  },
  kongfallback_store_requests_total: {
    type: 'counter',
    labels: ['store', 'operation'],
    help: 'Requests to a storage, each attempt counted; those of drills and of the probe at the start left out.',
  },
  kongfallback_store_transferred_bytes_total: {
    type: 'counter',
    labels: ['store', 'direction'],
    help: 'Bytes of bodies written (up) and read (down).',
  },
  kongfallback_store_breaker_state: {
    type: 'gauge',
    labels: ['store', 'state'],
    help: '1 for the state of the circuit breaker: closed, open or half-open.',
    perRole: true,
  },
  kongfallback_origin_state: {
    type: 'gauge',
    labels: ['origin'],
    help: '1 for where the running configuration came from: control-plane, storage, cache, node or none.',
    perRole: true,
  },
  kongfallback_origin_state_age_seconds: {
    type: 'gauge',
    labels: ['origin'],
    help: 'Since it comes from there.',
    perRole: true,
  },
  kongfallback_drill_verdict_state: {
    type: 'gauge',
    labels: [...HEAD, 'verdict'],
    help: '1 for how the last drill ended: passed, older, empty or failed. The cache is store "(cache)".',
    perRole: true,
  },
  kongfallback_drill_age_seconds: {
    type: 'gauge',
    labels: HEAD,
    help: 'Since the last drill.',
    perRole: true,
  },
  kongfallback_drill_duration_seconds: {
    type: 'gauge',
    labels: [...HEAD, 'step'],
    help: 'Duration of the last drill, by step: resolve, fetch, open.',
    perRole: true,
  },
  kongfallback_relay_verdict_state: {
    type: 'gauge',
    labels: ['verdict'],
    help: '1 for what the relay holds of the control plane: unknown, up, doubtful or down.',
  },
  kongfallback_relay_verdict_age_seconds: {
    type: 'gauge',
    labels: [],
    help: 'Since it holds that.',
  },
  kongfallback_relay_held_data_planes: {
    type: 'gauge',
    labels: [],
    help: 'Data planes that dialled and wait for a verdict, an admission or a connection.',
  },
  kongfallback_relay_open_tunnels: {
    type: 'gauge',
    labels: [],
    help: 'Data planes that are passed through to the control plane.',
  },
  kongfallback_relay_tunnels_total: {
    type: 'counter',
    labels: [],
    help: 'Tunnels opened.',
  },
  kongfallback_relay_admission_limit: {
    type: 'gauge',
    labels: [],
    help: 'Data planes that may be on their way to the control plane at once; absent in a sidecar.',
  },
  kongfallback_relay_admission_waiting_data_planes: {
    type: 'gauge',
    labels: [],
    help: 'Data planes that wait for their turn.',
  },
  kongfallback_relay_stand_in_sessions: {
    type: 'gauge',
    labels: ['state'],
    help: 'Sessions of the stand-in: handshake, greeting, served, current, ahead or refused.',
  },
  kongfallback_relay_stand_in_sent_bytes_total: {
    type: 'counter',
    labels: [],
    help: 'Bytes of configurations that the stand-in sent.',
  },
  kongfallback_relay_stand_in_refusals_total: {
    type: 'counter',
    labels: ['code'],
    help: 'Connections and sessions that the stand-in refused.',
  },
  kongfallback_relay_copy_frame_bytes: {
    type: 'gauge',
    labels: LINE,
    help: 'Size of the configuration as the stand-in sends it; 0 when there is none.',
  },
  kongfallback_relay_copy_sequence_number: {
    type: 'gauge',
    labels: LINE,
    help: 'Sequence of the head that it comes from.',
  },
  kongfallback_relay_copy_age_seconds: {
    type: 'gauge',
    labels: LINE,
    help: 'Since it is known to be what the control plane held.',
  },
} as const satisfies Readonly<Record<string, MetricDescription>>;

export type MetricName = keyof typeof METRICS;

/** Seconds: an unchanged configuration takes milliseconds, 1.3 million entities some 40 s. */
export const DURATION_BUCKETS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100];
