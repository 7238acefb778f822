import type { Socket } from 'node:net';
import { classify, type FallbackError } from '../../errors/index.ts';
import type { Address, ClusterCertificate } from '../../kong/index.ts';
import { openLink, openTls } from '../../kong/open-link.ts';
import type { Clock } from '../../plugin/plugin.ts';
import { aborted } from '../../resilience/index.ts';

/**
 * How far a look goes. A control plane logs nothing for a TLS handshake; an upgrade without `basic_info` costs it a
 * line.
 */
export type LookDepth = 'tls' | 'upgrade';

export interface LookOptions {
  readonly depth: LookDepth;
  /** In all, milliseconds. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

/** It is there and will not have us. Data planes may fare better: a wrong certificate of ours is not an outage. */
export interface LookAlarm {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

export type LookAnswer =
  | { readonly answers: true; readonly alarm?: LookAlarm }
  | { readonly answers: false; readonly error: FallbackError };

/** @throws FallbackError the abort, and nothing else */
export type Look = (address: Address, options: LookOptions) => Promise<LookAnswer>;

export interface LookIdentity {
  /** Asked for each look, since certificates are exchanged while we run. */
  readonly cluster: () => ClusterCertificate;
  readonly gatewayVersion: string;
  readonly nodeId: string;
  readonly nodeHostname: string;
  readonly clock: Clock;
}

/** For the peer to close its side of a connection that we are done with. */
const CLOSE_WITHIN_MS = 1000;
/** No message is waited for: nothing above a control frame is of interest. */
const MAX_PAYLOAD_BYTES = 1024;

/** Looks by opening a connection as a data plane does, and closes it at once: no `basic_info`, so no session. */
export function createLook(identity: LookIdentity): Look {
  const { clock } = identity;
  return async (address, { deadlineMs, depth, signal }) => {
    try {
      if (depth === 'tls') {
        const socket = await openTls(address, identity.cluster(), deadlineMs, { clock, signal });
        leave(socket, clock, () => {
          socket.resume();
          socket.end();
        });
      } else {
        const link = await openLink(address, identity.cluster(), deadlineMs, {
          ...identity,
          maxPayloadBytes: MAX_PAYLOAD_BYTES,
          signal,
        });
        link.websocket.on('error', () => {});
        leave(link.socket, clock, () => {
          link.websocket.resume();
          link.websocket.close();
        });
      }
      return { answers: true };
    } catch (thrown) {
      if (signal.aborted) throw aborted(signal);
      return judged(classify(thrown, address.text));
    }
  };
}

/** What we are denied is an answer, and so is a mistake in our own settings; anything else is none. */
function judged(error: FallbackError): LookAnswer {
  if (error.kind !== 'denied' && error.kind !== 'invalid') return { answers: false, error };
  const { code, hint, message } = error;
  return { answers: true, alarm: { code, message, ...(hint !== undefined && { hint }) } };
}

/** Says goodbye in order, so that nothing is logged about us, and destroys what is not closed within a second. */
function leave(socket: Socket, clock: Clock, goodbye: () => void): void {
  const closed = new AbortController();
  socket.once('close', () => closed.abort());
  clock.sleep(CLOSE_WITHIN_MS, closed.signal).then(
    () => socket.destroy(),
    () => {},
  );
  goodbye();
}
