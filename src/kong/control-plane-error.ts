import { type ErrorKind, FallbackError } from '../errors/index.ts';

interface Case {
  readonly kind: ErrorKind;
  readonly hint: string;
}

const CASES = {
  KF_CP_ADDRESS_INVALID: {
    kind: 'invalid',
    hint: 'Write it as host:port, such as cp.internal:8005, or [2001:db8::1]:8005 (cluster_listen of the control plane).',
  },
  KF_CP_CERTIFICATE_INVALID: {
    kind: 'invalid',
    hint: 'controlPlane.certificate, .key and .ca must be PEM, and the key that of the first certificate; `kong hybrid gen_cert` makes a pair.',
  },
  KF_CP_NAME_UNKNOWN: {
    kind: 'unavailable',
    hint: 'Check controlPlane.address and the DNS of this machine.',
  },
  KF_CP_REFUSED_CONNECTION: {
    kind: 'unavailable',
    hint: 'Nothing listens there: is the control plane running, and is this the port of cluster_listen (default 8005)?',
  },
  KF_CP_UNREACHABLE: {
    kind: 'unavailable',
    hint: 'Check routes and firewalls between here and the control plane.',
  },
  KF_CP_CONNECT_TIMEOUT: {
    kind: 'unavailable',
    hint: 'A firewall that drops packets, or a machine that is gone, looks like this.',
  },
  KF_CP_TLS_TIMEOUT: {
    kind: 'unavailable',
    hint: 'The connection was accepted, then nothing came: a load balancer without a living control plane, or one that hangs.',
  },
  KF_CP_UPGRADE_TIMEOUT: {
    kind: 'unavailable',
    hint: 'TLS was fine, then nothing came: the control plane hangs or is overloaded; see its log.',
  },
  KF_CP_TLS_FAILED: {
    kind: 'unavailable',
    hint: 'Is this the port of cluster_listen (default 8005), and does nothing in between end TLS itself?',
  },
  KF_CP_CONNECTION_LOST: {
    kind: 'unavailable',
    hint: 'Try again; if it goes on, the control plane log says why.',
  },
  KF_CP_CERTIFICATE_REFUSED: {
    kind: 'denied',
    hint: 'A control plane does this when it does not accept our certificate: with mtls shared it must be the very certificate of its cluster_cert, with pki one issued by its cluster_ca_cert.',
  },
  KF_CP_FOREIGN_CERTIFICATE: {
    kind: 'denied',
    hint: 'Nothing was sent. Either the address leads to another cluster, or the cluster certificate was replaced: give the new one, or both, in controlPlane.certificate.',
  },
  KF_CP_UNTRUSTED_CERTIFICATE: {
    kind: 'denied',
    hint: 'Nothing was sent. controlPlane.ca must be the authority (cluster_ca_cert) that issued the certificate of the control plane.',
  },
  KF_CP_EXPIRED_CERTIFICATE: {
    kind: 'denied',
    hint: 'Nothing was sent; data planes refuse it just the same. Renew the certificate, or set the clock of this machine right.',
  },
  KF_CP_WRONG_NAME: {
    kind: 'denied',
    hint: 'Nothing was sent. Set controlPlane.serverName to a name in the certificate (cluster_server_name of the data planes).',
  },
  KF_CP_BAD_REQUEST: {
    kind: 'denied',
    hint: 'A control plane answers this to a certificate that its cluster_ca_cert did not issue (pki), or a load balancer to a client it does not know.',
  },
  KF_CP_NOT_HYBRID: {
    kind: 'unsupported',
    hint: 'Is this the port of cluster_listen (default 8005)? Kong 3.1 speaks another protocol, which is not supported.',
  },
  KF_CP_HTTP_STATUS: {
    kind: 'unavailable',
    hint: 'Something in front of the control plane answers in its place, or it is starting or stopping.',
  },
  KF_CP_NOT_WEBSOCKET: {
    kind: 'unsupported',
    hint: 'Something other than a control plane listens there, or a proxy in between does not pass WebSockets.',
  },
  KF_CP_STAND_IN: {
    kind: 'unavailable',
    hint: 'This is a relay that plays control plane from a snapshot. Point controlPlane.address at the control plane itself.',
  },
  KF_CP_REFUSED: {
    kind: 'denied',
    hint: 'It does so to a data plane of another major version or of a newer minor version than its own: check gatewayVersions. Its log names the reason.',
  },
  KF_CP_GONE: {
    kind: 'unavailable',
    hint: 'The control plane or the network went away without closing. Try again when they are back.',
  },
  KF_CP_SILENT: {
    kind: 'unavailable',
    hint: 'It answers pings but sends no configuration. Either a plugin configured there is missing from `plugins` of the source (custom plugins must be listed; its log says "configured plugin … missing"), or its database does not answer.',
  },
  KF_CP_FRAME_TOO_LARGE: {
    kind: 'unsupported',
    hint: 'Raise maxPayloadBytes of the source to cluster_max_payload of the control plane; data planes need the same.',
  },
  KF_CP_TEXT_FRAME: {
    kind: 'unsupported',
    hint: 'Configurations come in binary frames only; something other than a control plane answers.',
  },
  KF_CP_PROTOCOL_ERROR: {
    kind: 'corrupt',
    hint: 'Something between here and the control plane changes bytes, or it is not a control plane.',
  },
} as const satisfies Record<string, Case>;

export type ControlPlaneErrorCode = keyof typeof CASES;

/** What can go wrong between us and a control plane: each case with its kind and its advice. */
export function controlPlaneError(
  code: ControlPlaneErrorCode,
  message: string,
  cause?: unknown,
): FallbackError {
  const { hint, kind } = CASES[code];
  return new FallbackError(kind, code, message, { hint, cause });
}
