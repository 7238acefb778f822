import type { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import { FallbackError } from '../../errors/index.ts';
import { ClusterCertificate, type ControlPlaneSettings } from '../../kong/index.ts';
import type { Identity } from '../identity.ts';
import { peerError } from './certificate-identity-errors.ts';

export interface RelayCertificate {
  /** PEM; `pki` only. Default: the control plane's. */
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
  /** `pki` only: empty for every name that the CA issued. */
  readonly allowedCommonNames: readonly string[];
}

/**
 * What a control plane of this cluster would show, and whom it would serve. The server that uses it asks for a
 * certificate and leaves judging to `check`: those that `kong hybrid gen_cert` makes are version 1, without a chain.
 *
 * @throws FallbackError `invalid` KF_CP_CERTIFICATE_INVALID, KF_RELAY_CERTIFICATE_INVALID
 */
export function certificateIdentity(controlPlane: ControlPlaneSettings, relay: RelayCertificate): Identity {
  const cluster = new ClusterCertificate(controlPlane);
  const { mtls, ca } = cluster;
  if (mtls === 'shared' || ca === undefined) {
    // No list of authorities is sent, as Kong sends none.
    const secureContext = contextOf(cluster.presented, cluster.key, []);
    return { secureContext, check: (socket) => checkShared(socket, cluster) };
  }
  const { certificate = cluster.presented, key = cluster.key, allowedCommonNames } = relay;
  const allowed = new Set(allowedCommonNames);
  return {
    secureContext: contextOf(certificate, key, [ca]),
    check: (socket, now) => checkIssued(socket, allowed, now),
  };
}

function contextOf(cert: string, key: string, ca: string[]): SecureContext {
  try {
    // OpenSSL resumes no session that asks for certificates without a context of its own.
    return createSecureContext({
      cert,
      key,
      ca,
      minVersion: 'TLSv1.2',
      sessionIdContext: 'kongfallback-relay',
    });
  } catch {
    // The cause is left out: what OpenSSL says about a key must not reach a log.
    throw new FallbackError(
      'invalid',
      'KF_RELAY_CERTIFICATE_INVALID',
      'the certificate and key that the relay shows to data planes cannot be used',
      {
        hint: 'relay.certificate and relay.key (by default those of controlPlane) must be PEM, and the key that of the first certificate.',
      },
    );
  }
}

function checkShared(socket: TLSSocket, cluster: ClusterCertificate): FallbackError | undefined {
  const peer = socket.getPeerX509Certificate();
  if (peer === undefined) return peerError('KF_RELAY_PEER_NO_CERTIFICATE', 'presented no certificate');
  if (cluster.accepts(peer)) return undefined;
  return peerError(
    'KF_RELAY_PEER_FOREIGN',
    `presented ${nameOf(peer)}, which is not the cluster certificate`,
  );
}

function checkIssued(
  socket: TLSSocket,
  allowed: ReadonlySet<string>,
  now: number,
): FallbackError | undefined {
  const peer = socket.getPeerX509Certificate();
  if (peer === undefined) return peerError('KF_RELAY_PEER_NO_CERTIFICATE', 'presented no certificate');
  const reason = String(socket.authorizationError);
  const isOutOfDate = socket.authorized
    ? !isValidAt(peer, now)
    : reason === 'CERT_HAS_EXPIRED' || reason === 'CERT_NOT_YET_VALID';
  if (isOutOfDate) {
    const validity = `is valid from ${peer.validFrom} to ${peer.validTo}`;
    return peerError('KF_RELAY_PEER_EXPIRED', `presented ${nameOf(peer)}, which ${validity}`);
  }
  if (!socket.authorized) return peerError('KF_RELAY_PEER_UNTRUSTED', `presented ${nameOf(peer)}: ${reason}`);
  if (allowed.size === 0 || allowed.has(commonName(peer) ?? '')) return undefined;
  return peerError('KF_RELAY_PEER_NAME', `presented ${nameOf(peer)}, whose common name is not allowed`);
}

/** The first, as a control plane takes it. */
function commonName(peer: X509Certificate): string | undefined {
  // As many as the subject holds, whatever the types say.
  const subject = peer.toLegacyObject().subject as { readonly CN?: string | readonly string[] } | undefined;
  return [subject?.CN ?? []].flat()[0];
}

function isValidAt(certificate: X509Certificate, now: number): boolean {
  return Date.parse(certificate.validFrom) <= now && now <= Date.parse(certificate.validTo);
}

function nameOf(certificate: X509Certificate): string {
  const subject = certificate.subject?.replaceAll('\n', ', ').slice(0, 200) ?? 'no subject';
  return `"${subject}" (SHA-256 ${certificate.fingerprint256.slice(0, 23)}…)`;
}
