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

/**
 * TCP, TLS, the check of who answered, and the WebSocket, all of it within `connectMs`.
 *
 * @throws FallbackError of dial and upgrade; KF_CP_CONNECT_TIMEOUT, KF_CP_TLS_TIMEOUT or KF_CP_UPGRADE_TIMEOUT
 */
export async function openLink(
  address: Address,
  cluster: ClusterCertificate,
  connectMs: number,
  options: UpgradeOptions,
): Promise<UpgradedLink> {
  let stage: keyof typeof TIMEOUT_OF_STAGE = 'connect';
  try {
    return await withDeadline(options.clock, connectMs, options.signal, address.text, async (signal) => {
      const socket = await dial(address, cluster, {
        clock: options.clock,
        signal,
        onConnected: () => {
          stage = 'tls';
        },
      });
      stage = 'upgrade';
      return upgrade(socket, address, { ...options, signal });
    });
  } catch (error) {
    throw codeOf(error) === 'KF_DEADLINE_EXCEEDED' ? timeout(address, stage, connectMs, error) : error;
  }
}

function timeout(
  address: Address,
  stage: keyof typeof TIMEOUT_OF_STAGE,
  connectMs: number,
  cause: unknown,
): FallbackError {
  const [code, what] = TIMEOUT_OF_STAGE[stage];
  return controlPlaneError(code, `${address.text} ${what} within ${connectMs} ms`, cause);
}
