import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';
import type { TLSSocket } from 'node:tls';
import WebSocket from 'ws';
import type { FallbackError } from '../errors/index.ts';
import type { Clock } from '../plugin/plugin.ts';
import { aborted } from '../resilience/index.ts';
import type { Address } from './address.ts';
import { controlPlaneError } from './control-plane-error.ts';
import { certificateRefused, isCertificateAlert } from './dial.ts';
import { PeerClock } from './peer-clock.ts';

/** A relay that plays control plane says so with this header on its 101. */
export const STAND_IN_HEADER = 'x-kongfallback-stand-in';

export interface UpgradeOptions {
  readonly gatewayVersion: string;
  readonly nodeId: string;
  readonly nodeHostname: string;
  /** Largest message accepted, compressed bytes. */
  readonly maxPayloadBytes: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Paused: nothing is read until the caller has its listeners in place and resumes it. */
export interface UpgradedLink {
  readonly websocket: WebSocket;
  readonly socket: TLSSocket;
  readonly peerClock: PeerClock;
}

/**
 * Turns a verified TLS connection into a WebSocket of `/v1/outlet`, asked for as a data plane does: no headers
 * but the five it needs, no subprotocol, no compression.
 *
 * @throws FallbackError KF_CP_CERTIFICATE_REFUSED, KF_CP_BAD_REQUEST, KF_CP_NOT_HYBRID, KF_CP_HTTP_STATUS,
 *   KF_CP_NOT_WEBSOCKET, KF_CP_STAND_IN, or the abort
 */
export function upgrade(socket: TLSSocket, address: Address, options: UpgradeOptions): Promise<UpgradedLink> {
  const { clock, signal } = options;
  return new Promise((resolve, reject) => {
    if (socket.destroyed) {
      reject(certificateRefused(address, undefined));
      return;
    }
    const websocket = new WebSocket(outletUrl(address, options), {
      createConnection: () => socket,
      perMessageDeflate: false,
      maxPayload: options.maxPayloadBytes,
      followRedirects: false,
    });
    const askedAt = clock.monotonic();
    let peerClock: PeerClock | undefined;
    let failure: FallbackError | undefined;
    const fail = (error: FallbackError) => {
      failure ??= error;
      signal.removeEventListener('abort', onAbort);
      websocket.on('error', () => {});
      websocket.terminate();
      socket.destroy();
      reject(failure);
    };
    const onAbort = () => fail(aborted(signal));
    const onError = (error: Error) => fail(upgradeError(address, error));
    websocket.once('upgrade', (response) => {
      peerClock = new PeerClock(clock, response.headers.date, askedAt);
      if (response.headers[STAND_IN_HEADER] !== undefined) failure = standIn(address);
    });
    websocket.once('unexpected-response', (_request, response) => fail(statusError(address, response)));
    websocket.on('error', onError);
    websocket.once('open', () => {
      if (failure !== undefined || peerClock === undefined) {
        fail(failure ?? controlPlaneError('KF_CP_NOT_WEBSOCKET', `${address.text}: no answer was read`));
        return;
      }
      websocket.pause();
      websocket.off('error', onError);
      signal.removeEventListener('abort', onAbort);
      resolve({ websocket, socket, peerClock });
    });
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}

function outletUrl(address: Address, options: UpgradeOptions): string {
  const host = isIPv6(address.host) ? `[${address.host}]` : address.host;
  const node = `node_id=${encodeURIComponent(options.nodeId)}`;
  const hostname = `node_hostname=${encodeURIComponent(options.nodeHostname)}`;
  const version = `node_version=${encodeURIComponent(options.gatewayVersion)}`;
  return `ws://${host}:${address.port}/v1/outlet?${node}&${hostname}&${version}`;
}

function upgradeError(address: Address, error: Error): FallbackError {
  const code = String((error as { code?: unknown }).code);
  if (isCertificateAlert(error) || code === 'ECONNRESET' || code === 'EPIPE') {
    return certificateRefused(address, error);
  }
  return controlPlaneError(
    'KF_CP_NOT_WEBSOCKET',
    `${address.text} does not answer as a WebSocket: ${error.message.slice(0, 200)}`,
    error,
  );
}

function statusError(address: Address, response: IncomingMessage): FallbackError {
  const status = response.statusCode ?? 0;
  const message = `${address.text} answered HTTP ${status} instead of opening a session`;
  response.destroy();
  if (status === 400 || status === 401 || status === 403 || status === 495 || status === 496) {
    return controlPlaneError('KF_CP_BAD_REQUEST', message);
  }
  if (status === 404) return controlPlaneError('KF_CP_NOT_HYBRID', message);
  if (status < 300) return controlPlaneError('KF_CP_NOT_WEBSOCKET', message);
  return controlPlaneError('KF_CP_HTTP_STATUS', message);
}

function standIn(address: Address): FallbackError {
  return controlPlaneError('KF_CP_STAND_IN', `${address.text} is a stand-in, not a control plane`);
}
