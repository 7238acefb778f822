import type { TLSSocket } from 'node:tls';
import { codeOf, type FallbackError } from '../errors/index.ts';
import { withDeadline } from '../resilience/index.ts';
import type { Address } from './address.ts';
import type { ClusterCertificate } from './cluster-certificate.ts';
import { type ControlPlaneErrorCode, controlPlaneError } from './control-plane-error.ts';
import { dial } from './dial.ts';
import { type UpgradedLink, type UpgradeOptions, upgrade } from './upgrade.ts';

const TIMEOUT_OF_STAGE = {
  connect: ['KF_CP_CONNECT_TIMEOUT', 'does not answer'],
  tls: ['KF_CP_TLS_TIMEOUT', 'accepts connections but does not finish TLS'],
  upgrade: ['KF_CP_UPGRADE_TIMEOUT', 'does not answer the request for a session'],
} as const satisfies Record<string, readonly [ControlPlaneErrorCode, string]>;

type Stage = keyof typeof TIMEOUT_OF_STAGE;

/**
 * TCP, TLS, the check of who answered, and the WebSocket, all of it within `connectMs`.
 *
 * @throws FallbackError of dial and upgrade; KF_CP_CONNECT_TIMEOUT, KF_CP_TLS_TIMEOUT or KF_CP_UPGRADE_TIMEOUT
 */
export function openLink(
  address: Address,
  cluster: ClusterCertificate,
  connectMs: number,
  options: UpgradeOptions,
): Promise<UpgradedLink> {
  return bounded(address, connectMs, options, async (signal, reached) => {
    const onConnected = () => reached('tls');
    const socket = await dial(address, cluster, { clock: options.clock, signal, onConnected });
    reached('upgrade');
    return upgrade(socket, address, { ...options, signal });
  });
}

/**
 * TCP, TLS and the check of who answered, within `connectMs`.
 *
 * @throws FallbackError of dial; KF_CP_CONNECT_TIMEOUT or KF_CP_TLS_TIMEOUT
 */
export function openTls(
  address: Address,
  cluster: ClusterCertificate,
  connectMs: number,
  options: Pick<UpgradeOptions, 'clock' | 'signal'>,
): Promise<TLSSocket> {
  return bounded(address, connectMs, options, async (signal, reached) => {
    const onConnected = () => reached('tls');
    const socket = await dial(address, cluster, { clock: options.clock, signal, onConnected });
    // Nobody takes it any more.
    if (signal.aborted) socket.destroy();
    return socket;
  });
}

/** Runs `work` within `connectMs`; a time-out says what was being waited for. */
async function bounded<T>(
  address: Address,
  connectMs: number,
  options: Pick<UpgradeOptions, 'clock' | 'signal'>,
  work: (signal: AbortSignal, reached: (stage: Stage) => void) => Promise<T>,
): Promise<T> {
  let stage: Stage = 'connect';
  const reached = (next: Stage) => {
    stage = next;
  };
  try {
    return await withDeadline(options.clock, connectMs, options.signal, address.text, (signal) =>
      work(signal, reached),
    );
  } catch (error) {
    throw codeOf(error) === 'KF_DEADLINE_EXCEEDED' ? timeout(address, stage, connectMs, error) : error;
  }
}

function timeout(address: Address, stage: Stage, connectMs: number, cause: unknown): FallbackError {
  const [code, what] = TIMEOUT_OF_STAGE[stage];
  return controlPlaneError(code, `${address.text} ${what} within ${Math.round(connectMs)} ms`, cause);
}
