import { type ErrorKind, FallbackError } from '../../errors/index.ts';

interface Case {
  readonly kind: ErrorKind;
  readonly hint: string;
}

const CASES = {
  KF_RELAY_BUSY: {
    kind: 'unavailable',
    hint: 'Data planes come back by themselves after 5 to 10 s. If it goes on, run more relays, or raise relay.maxConnections.',
  },
  KF_RELAY_HANDSHAKE_TIMEOUT: {
    kind: 'unavailable',
    hint: 'It connected and did not go on: something that is no data plane, or a network that loses packets.',
  },
  KF_RELAY_TLS_FAILED: {
    kind: 'denied',
    hint: 'Either it is no data plane, or it does not trust our certificate: with shared it must hold the same one (cluster_cert), with pki relay.certificate must carry the name that it checks.',
  },
  KF_RELAY_BAD_REQUEST: {
    kind: 'unsupported',
    hint: 'A data plane asks for /v1/outlet with node_id and node_version. Something else holds the cluster certificate and dials the relay.',
  },
  KF_RELAY_NO_BASIC_INFO: {
    kind: 'unavailable',
    hint: 'A data plane introduces itself within 5 s. A slow network, or a node that hangs.',
  },
  KF_RELAY_BASIC_INFO_INVALID: {
    kind: 'unsupported',
    hint: 'The first message of a data plane is a JSON object of type basic_info with the list of its plugins. Is it a Kong gateway of role data_plane?',
  },
  KF_RELAY_PROTOCOL_ERROR: {
    kind: 'corrupt',
    hint: 'Something between it and the relay changes bytes, or it is no data plane.',
  },
  KF_RELAY_VERSION_INVALID: {
    kind: 'unsupported',
    hint: 'A data plane says its version as major.minor.patch, such as 3.9.3.',
  },
  KF_RELAY_NO_SNAPSHOT: {
    kind: 'unsupported',
    hint: 'A data plane is given what was exported for its own version and nothing else. Add the version to gatewayVersions of the exporter; it needs the control plane once.',
  },
  KF_RELAY_PLUGIN_MISSING: {
    kind: 'unsupported',
    hint: 'It would reject the whole configuration, so it gets none, as from a control plane. Install the plugin there and add it to `plugins` of its kong.conf.',
  },
  KF_RELAY_STALLED: {
    kind: 'unavailable',
    hint: 'It does not read what it is sent: a node out of memory or a network that drops packets.',
  },
  KF_RELAY_GONE: {
    kind: 'unavailable',
    hint: 'A data plane pings every 30 s: this one or its network went away without closing.',
  },
} as const satisfies Record<string, Case>;

export type RefusalCode = keyof typeof CASES;

/** Why the stand-in does not serve a data plane: each case with its kind and its advice. */
export function refusal(code: RefusalCode, message: string, cause?: unknown): FallbackError {
  const { hint, kind } = CASES[code];
  return new FallbackError(kind, code, message, { hint, cause });
}
