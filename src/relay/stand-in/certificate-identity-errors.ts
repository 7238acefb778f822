import { FallbackError } from '../../errors/index.ts';

const HINTS = {
  KF_RELAY_PEER_NO_CERTIFICATE:
    'Something other than a data plane dialled, or one without cluster_cert and cluster_cert_key.',
  KF_RELAY_PEER_FOREIGN:
    'A data plane of another cluster, or the cluster certificate was replaced: give the new one, or both, in controlPlane.certificate.',
  KF_RELAY_PEER_UNTRUSTED:
    'controlPlane.ca must be the authority (cluster_ca_cert) that issued the certificates of the data planes.',
  KF_RELAY_PEER_EXPIRED:
    'The control plane refuses it just the same: renew the certificate of that data plane, or set the clock of this machine right.',
  KF_RELAY_PEER_NAME:
    'If it is one of your data planes, add its common name to relay.allowedCommonNames (cluster_allowed_common_names of Kong).',
} as const;

export type PeerErrorCode = keyof typeof HINTS;

/** Why a data plane is not served; who it is, the caller adds. */
export function peerError(code: PeerErrorCode, what: string): FallbackError {
  return new FallbackError('denied', code, `the data plane ${what}`, { hint: HINTS[code] });
}
