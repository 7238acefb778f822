import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { FallbackError } from '../errors/index.ts';
import type { Address } from './address.ts';
import type { ClusterCertificate } from './cluster-certificate.ts';
import { controlPlaneError } from './control-plane-error.ts';

/**
 * Judges the certificate that a control plane presented, before anything is sent to it. Our own check and not
 * TLS's, since the certificates that `kong hybrid gen_cert` makes are version 1 with a common name only.
 *
 * @param now milliseconds since 1970
 * @returns what is wrong, or undefined
 */
export function checkPeer(
  socket: TLSSocket,
  cluster: ClusterCertificate,
  address: Address,
  now: number,
): FallbackError | undefined {
  const peer = socket.getPeerX509Certificate();
  if (peer === undefined) {
    return controlPlaneError('KF_CP_FOREIGN_CERTIFICATE', `${address.text} presented no certificate`);
  }
  if (cluster.mtls === 'shared' && !cluster.accepts(peer)) {
    return controlPlaneError(
      'KF_CP_FOREIGN_CERTIFICATE',
      `${address.text} presented ${nameOf(peer)}, which is not the cluster certificate`,
    );
  }
  if (!isValidAt(peer, now)) {
    return controlPlaneError(
      'KF_CP_EXPIRED_CERTIFICATE',
      `the certificate of ${address.text} is valid from ${peer.validFrom} to ${peer.validTo}`,
    );
  }
  return cluster.mtls === 'shared' ? undefined : checkChainAndName(socket, peer, cluster, address);
}

function checkChainAndName(
  socket: TLSSocket,
  peer: X509Certificate,
  cluster: ClusterCertificate,
  address: Address,
): FallbackError | undefined {
  if (!socket.authorized) {
    const reason = String(socket.authorizationError);
    const expired = reason === 'CERT_HAS_EXPIRED' || reason === 'CERT_NOT_YET_VALID';
    return controlPlaneError(
      expired ? 'KF_CP_EXPIRED_CERTIFICATE' : 'KF_CP_UNTRUSTED_CERTIFICATE',
      `${address.text} presented ${nameOf(peer)}: ${reason}`,
    );
  }
  const name = cluster.serverName ?? address.host;
  if (carriesName(peer, name)) return undefined;
  return controlPlaneError(
    'KF_CP_WRONG_NAME',
    `${address.text} presented ${nameOf(peer)}, which does not carry the name ${name}`,
  );
}

/** As OpenSSL checks it for Kong: alternative names, and the common name only where there are none. */
function carriesName(peer: X509Certificate, name: string): boolean {
  if (isIP(name) && peer.checkIP(name) !== undefined) return true;
  return peer.checkHost(name, { subject: 'default' }) !== undefined;
}

function isValidAt(certificate: X509Certificate, now: number): boolean {
  return Date.parse(certificate.validFrom) <= now && now <= Date.parse(certificate.validTo);
}

function nameOf(certificate: X509Certificate): string {
  const subject = certificate.subject?.replaceAll('\n', ', ').slice(0, 200) ?? 'no subject';
  return `"${subject}" (SHA-256 ${certificate.fingerprint256.slice(0, 23)}…)`;
}
