import { classify, FallbackError, kindOf } from '../errors/index.ts';
import { type Address, parseAddress } from './address.ts';
import { ClusterCertificate } from './cluster-certificate.ts';
import { controlPlaneError } from './control-plane-error.ts';
import type { ControlPlaneSettings } from './control-plane-settings.ts';
import { openLink } from './open-link.ts';
import { ControlPlaneSession, type SessionOptions } from './session.ts';

/** `cluster_max_payload` of Kong 3.4 and later. */
export const DEFAULT_MAX_PAYLOAD_BYTES = 16_777_216;
/** A data plane's own time for connecting. */
export const DEFAULT_CONNECT_MS = 5000;
export const DEFAULT_SILENCE_MS = 180_000;

export interface OpenControlPlaneOptions extends Omit<SessionOptions, 'silenceMs'> {
  readonly controlPlane: ControlPlaneSettings;
  /** Exact version to ask a configuration for; the control plane rewrites it for older ones. */
  readonly gatewayVersion: string;
  /** A UUID that stays the same (`nodeIdOf`). */
  readonly nodeId: string;
  readonly nodeHostname: string;
  /** Default 180 s. */
  readonly silenceMs?: number;
  /** Until the WebSocket stands, for each address; default 5 s. */
  readonly connectMs?: number;
  /** Largest message accepted, compressed bytes; default 16 MiB. */
  readonly maxPayloadBytes?: number;
}

/**
 * Opens a session with the first address that gives one.
 *
 * @throws FallbackError KF_CP_ADDRESS_INVALID, KF_CP_CERTIFICATE_INVALID, those of openLink, or the abort; of several
 *   addresses the error that says most
 */
export async function openSession(options: OpenControlPlaneOptions): Promise<ControlPlaneSession> {
  const cluster = new ClusterCertificate(options.controlPlane);
  const addresses = options.controlPlane.addresses.map(parseAddress);
  const errors: FallbackError[] = [];
  for (const address of addresses) {
    try {
      return await open(address, cluster, options);
    } catch (thrown) {
      const error = classify(thrown, address.text);
      if (error.kind === 'aborted' || options.signal.aborted) throw error;
      errors.push(error);
    }
  }
  throw mostTelling(errors);
}

async function open(
  address: Address,
  cluster: ClusterCertificate,
  options: OpenControlPlaneOptions,
): Promise<ControlPlaneSession> {
  const link = await openLink(address, cluster, options.connectMs ?? DEFAULT_CONNECT_MS, {
    gatewayVersion: options.gatewayVersion,
    nodeId: options.nodeId,
    nodeHostname: options.nodeHostname,
    maxPayloadBytes: options.maxPayloadBytes ?? DEFAULT_MAX_PAYLOAD_BYTES,
    clock: options.clock,
    signal: options.signal,
  });
  return new ControlPlaneSession(address, link, {
    ...options,
    silenceMs: options.silenceMs ?? DEFAULT_SILENCE_MS,
  });
}

/** A mistake that somebody must mend says more than an address that is away. */
function mostTelling(errors: readonly FallbackError[]): FallbackError {
  const chosen = errors.find((error) => kindOf(error) !== 'unavailable') ?? errors[0];
  if (chosen === undefined)
    return controlPlaneError('KF_CP_ADDRESS_INVALID', 'no control plane address is set');
  if (errors.length === 1) return chosen;
  const message = errors.map((error) => error.message).join('; ');
  const options = { cause: chosen, ...(chosen.hint !== undefined && { hint: chosen.hint }) };
  return new FallbackError(chosen.kind, chosen.code, message, options);
}
