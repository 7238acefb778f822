import { createConnection, type Socket } from 'node:net';
import { classify, codeOf, FallbackError } from '../../errors/index.ts';
import { controlPlaneError } from '../../kong/control-plane-error.ts';
import { connectError, ready } from '../../kong/dial.ts';
import type { Address } from '../../kong/index.ts';
import { type Clock, withDeadline } from '../../resilience/index.ts';
import { KEEP_ALIVE_MS } from './limits.ts';

export interface UpstreamOptions {
  /** For each address, name look-up included. */
  readonly connectMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface Upstream {
  /** Paused; not a byte was read or written. */
  readonly socket: Socket;
  readonly address: Address;
}

/** Node leaves the first record of a name for the next after 250 ms, which a far control plane may need. */
const SHARE_OF_ONE_RECORD = 1 / 3;

/**
 * Opens TCP to the first address that takes it; the records of a DNS name are tried one after the other.
 *
 * @throws FallbackError of the last address, naming all that were tried: KF_CP_NAME_UNKNOWN,
 *   KF_CP_REFUSED_CONNECTION, KF_CP_UNREACHABLE, KF_CP_CONNECT_TIMEOUT, KF_CP_CONNECTION_LOST; or the abort
 */
export async function openUpstream(
  addresses: readonly Address[],
  options: UpstreamOptions,
): Promise<Upstream> {
  const failures: FallbackError[] = [];
  for (const address of addresses) {
    try {
      return { socket: await connect(address, options), address };
    } catch (thrown) {
      const failure = classify(thrown, address.text);
      if (failure.kind === 'aborted' || options.signal.aborted) throw failure;
      failures.push(failure);
    }
  }
  throw allFailed(failures);
}

async function connect(address: Address, { clock, connectMs, signal }: UpstreamOptions): Promise<Socket> {
  try {
    return await withDeadline(clock, connectMs, signal, address.text, async (within) => {
      const socket = createConnection({
        host: address.host,
        port: address.port,
        allowHalfOpen: true,
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay: KEEP_ALIVE_MS,
        autoSelectFamilyAttemptTimeout: Math.ceil(connectMs * SHARE_OF_ONE_RECORD),
      });
      socket.pause();
      await ready(socket, 'connect', within, (error) => connectError(address, error));
      // An error before the tunnel has its listeners would otherwise end the process.
      socket.on('error', () => {});
      return socket;
    });
  } catch (error) {
    if (codeOf(error) !== 'KF_DEADLINE_EXCEEDED') throw error;
    throw controlPlaneError(
      'KF_CP_CONNECT_TIMEOUT',
      `${address.text} does not answer within ${connectMs} ms`,
      error,
    );
  }
}

function allFailed(failures: readonly FallbackError[]): FallbackError {
  const last = failures.at(-1);
  if (last === undefined) {
    return new FallbackError('unavailable', 'KF_CP_NOT_SET', 'there is no address to connect to', {
      hint: 'Set controlPlane.address to host:port of the control plane (cluster_listen).',
    });
  }
  if (failures.length === 1) return last;
  return new FallbackError(last.kind, last.code, failures.map(({ message }) => message).join('; '), {
    cause: last,
    ...(last.hint !== undefined && { hint: last.hint }),
  });
}
