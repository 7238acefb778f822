import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { FallbackError } from '../errors/index.ts';
import type { Clock } from '../plugin/plugin.ts';
import { aborted } from '../resilience/index.ts';
import type { Address } from './address.ts';
import type { ClusterCertificate } from './cluster-certificate.ts';
import { controlPlaneError } from './control-plane-error.ts';
import { checkPeer } from './peer-check.ts';

/** What a data plane always asks for in shared mode, whatever the address. */
const SHARED_SERVER_NAME = 'kong_clustering';
/** Node leaves the first record of a name for the next after 250 ms, which a far control plane may need. */
const NEXT_RECORD_MS = 1000;

export interface DialOptions {
  readonly clock: Clock;
  /** Ends it at once; whoever dials sets the deadline. */
  readonly signal: AbortSignal;
  /** Told when TCP stands, so that a time-out can say what it waited for. */
  readonly onConnected?: () => void;
}

/**
 * Opens TCP and mutual TLS to a control plane and checks who answered. Not a byte of ours but the handshake has
 * been sent when it resolves.
 *
 * @throws FallbackError KF_CP_NAME_UNKNOWN, KF_CP_REFUSED_CONNECTION, KF_CP_UNREACHABLE, KF_CP_TLS_FAILED,
 *   KF_CP_CONNECTION_LOST, KF_CP_CERTIFICATE_REFUSED, KF_CP_FOREIGN_CERTIFICATE, KF_CP_UNTRUSTED_CERTIFICATE,
 *   KF_CP_EXPIRED_CERTIFICATE, KF_CP_WRONG_NAME, or the abort
 */
export async function dial(
  address: Address,
  cluster: ClusterCertificate,
  options: DialOptions,
): Promise<TLSSocket> {
  const { clock, onConnected, signal } = options;
  const tcp = connectTcp({
    host: address.host,
    port: address.port,
    noDelay: true,
    autoSelectFamilyAttemptTimeout: NEXT_RECORD_MS,
  });
  await ready(tcp, 'connect', signal, (error) => connectError(address, error));
  onConnected?.();
  const serverName = cluster.mtls === 'shared' ? SHARED_SERVER_NAME : (cluster.serverName ?? address.host);
  const tls = connectTls({
    socket: tcp,
    cert: cluster.presented,
    key: cluster.key,
    minVersion: 'TLSv1.2',
    // Judged by checkPeer: Node's own check knows no version 1 certificate without a chain.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    ...(cluster.ca !== undefined && { ca: cluster.ca }),
    ...(!isIP(serverName) && { servername: serverName }),
  });
  await ready(tls, 'secureConnect', signal, (error) => tlsError(address, error));
  // An error between here and the next listener would otherwise end the process.
  tls.on('error', () => {});
  const wrong = checkPeer(tls, cluster, address, clock.now());
  if (wrong === undefined) return tls;
  tls.destroy();
  throw wrong;
}

/** Waits for one event; whatever comes instead destroys the socket and is thrown. */
export function ready(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  signal: AbortSignal,
  classified: (error: Error) => FallbackError,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (end: () => void) => {
      signal.removeEventListener('abort', onAbort);
      socket.off(event, onReady).off('error', onError).off('close', onClose);
      end();
    };
    const fail = (error: unknown) =>
      settle(() => {
        // Errors that come after this one have nobody to hear them, and would end the process.
        socket.on('error', () => {});
        socket.destroy();
        reject(error);
      });
    const onReady = () => settle(resolve);
    const onError = (error: Error) => fail(classified(error));
    const onClose = () => fail(classified(new Error('closed')));
    const onAbort = () => fail(aborted(signal));
    socket.on(event, onReady).on('error', onError).on('close', onClose);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}

/** What kept TCP from standing, as KF_CP_NAME_UNKNOWN, _REFUSED_CONNECTION, _CONNECTION_LOST, _CONNECT_TIMEOUT or _UNREACHABLE. */
export function connectError(address: Address, error: Error): FallbackError {
  const code = String((error as { code?: unknown }).code);
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_FAIL':
    case 'EAI_NODATA':
      return controlPlaneError('KF_CP_NAME_UNKNOWN', `${address.host} has no address (${code})`, error);
    case 'ECONNREFUSED':
      return controlPlaneError('KF_CP_REFUSED_CONNECTION', `${address.text} refuses connections`, error);
    case 'ECONNRESET':
      return controlPlaneError('KF_CP_CONNECTION_LOST', `${address.text} resets connections`, error);
    case 'ETIMEDOUT':
      return controlPlaneError('KF_CP_CONNECT_TIMEOUT', `${address.text} does not answer`, error);
    default:
      return controlPlaneError('KF_CP_UNREACHABLE', `${address.text} cannot be reached (${code})`, error);
  }
}

function tlsError(address: Address, error: Error): FallbackError {
  const code = String((error as { code?: unknown }).code ?? error.message);
  if (isCertificateAlert(error)) return certificateRefused(address, error);
  if (code === 'ECONNRESET' || code === 'EPIPE' || code === 'closed') {
    return controlPlaneError('KF_CP_CONNECTION_LOST', `${address.text} closed before TLS was done`, error);
  }
  return controlPlaneError('KF_CP_TLS_FAILED', `TLS with ${address.text} failed (${code})`, error);
}

/** TLS alerts about our certificate; with TLS 1.3 they come after the handshake is done on our side. */
export function isCertificateAlert(error: Error): boolean {
  const code = String((error as { code?: unknown }).code);
  return /ALERT_(.*CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)/.test(code);
}

export function certificateRefused(address: Address, cause: unknown): FallbackError {
  return controlPlaneError(
    'KF_CP_CERTIFICATE_REFUSED',
    `${address.text} closed without a word after TLS`,
    cause,
  );
}
