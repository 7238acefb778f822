import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { FallbackError } from '../../errors/index.ts';
import type { Clock } from '../../plugin/plugin.ts';
import type { Identity } from '../identity.ts';
import type { StandInLimits } from './limits.ts';
import { plainText } from './plain-text.ts';
import { refusal } from './refusal.ts';

export interface HandshakeRules {
  readonly clock: Clock;
  readonly limits: StandInLimits;
  identity(): Identity;
  /** A data plane with the right certificate. */
  onSecure(socket: TLSSocket): void;
  onRefused(error: FallbackError, remote: string): void;
}

/**
 * - `silent`: it has sent nothing; costs a socket and no turn
 * - `queued`: it spoke, and waits for its turn
 * - `shaking`: its handshake is one of the few at once
 * - `slow`: its turn is over, and it is the client that we wait for
 */
type Phase = 'silent' | 'queued' | 'shaking' | 'slow';

interface Arrival {
  readonly socket: Socket;
  readonly remote: string;
  phase: Phase;
  /** Monotonic milliseconds of the phase's beginning; `slow` keeps that of `shaking`. */
  at: number;
  /** Milliseconds of `shaking` in which we were not the slow one. */
  waitedMs: number;
  tls?: TLSSocket;
}

/** From a raw socket to mutual TLS, a few at a time and in the order in which clients spoke. */
export class Handshakes {
  readonly #rules: HandshakeRules;
  readonly #arrivals = new Set<Arrival>();
  readonly #queue = new Set<Arrival>();
  #shaking = 0;
  #tickedAt = 0;

  constructor(rules: HandshakeRules) {
    this.#rules = rules;
  }

  /** Sockets without TLS yet. */
  get size(): number {
    return this.#arrivals.size;
  }

  /** Takes over a socket of which nothing was consumed. */
  take(socket: Socket): void {
    // Errors that come when nobody expects them would end the process.
    socket.on('error', () => {});
    if (socket.destroyed) return;
    const { clock, limits } = this.#rules;
    if (this.#arrivals.size >= limits.maxArrivals && !this.#makeRoom()) {
      this.#busy(socket, remoteOf(socket));
      return;
    }
    const at = clock.monotonic();
    const arrival: Arrival = { socket, remote: remoteOf(socket), phase: 'silent', at, waitedMs: 0 };
    this.#arrivals.add(arrival);
    socket.once('close', () => this.#forget(arrival));
    // Read, not given to TLS: a socket that says nothing must not hold a turn. TLS takes up what was read.
    socket.once('readable', () => this.#onSpoken(arrival));
  }

  tick(now: number): void {
    const { handshakeMs, handshakeTurnMs, queueMs, tickMs } = this.#rules.limits;
    // A tick that comes late is a process without CPU time: more handshakes at once would let all of them fail.
    const waitedMs = now - this.#tickedAt < 2 * tickMs ? now - this.#tickedAt : 0;
    this.#tickedAt = now;
    for (const arrival of this.#arrivals) {
      const age = now - arrival.at;
      if (arrival.phase === 'queued') {
        if (age >= queueMs) this.#busy(arrival.socket, arrival.remote);
      } else if (age >= handshakeMs) this.#timeOut(arrival);
      else if (arrival.phase === 'shaking') {
        arrival.waitedMs += waitedMs;
        if (arrival.waitedMs >= handshakeTurnMs) this.#endTurn(arrival, 'slow');
      }
    }
    this.#admit();
  }

  destroy(): void {
    for (const { socket } of [...this.#arrivals]) socket.destroy();
  }

  #onSpoken(arrival: Arrival): void {
    const { socket } = arrival;
    if (arrival.phase !== 'silent' || !this.#arrivals.has(arrival)) return;
    if (socket.readableLength === 0) {
      // Closed without a word, as health checks of balancers do.
      socket.destroy();
      return;
    }
    arrival.phase = 'queued';
    arrival.at = this.#rules.clock.monotonic();
    this.#queue.add(arrival);
    this.#admit();
  }

  #admit(): void {
    for (const arrival of this.#queue) {
      if (this.#shaking >= this.#rules.limits.maxHandshakes) return;
      this.#queue.delete(arrival);
      this.#shake(arrival);
    }
  }

  #shake(arrival: Arrival): void {
    const { clock, identity } = this.#rules;
    const own = identity();
    arrival.phase = 'shaking';
    arrival.at = clock.monotonic();
    this.#shaking++;
    const tls = new TLSSocket(arrival.socket, {
      isServer: true,
      secureContext: own.secureContext,
      requestCert: true,
      rejectUnauthorized: false,
    });
    arrival.tls = tls;
    tls.on('error', (error) => this.#onTlsError(arrival, error));
    tls.once('close', () => {
      arrival.socket.destroy();
      this.#forget(arrival);
    });
    tls.once('secure', () => this.#onSecure(arrival, tls, own));
  }

  #onSecure(arrival: Arrival, tls: TLSSocket, identity: Identity): void {
    this.#forget(arrival);
    noteAuthorization(tls);
    tls.disableRenegotiation();
    const wrong = identity.check(tls, this.#rules.clock.now());
    if (wrong !== undefined) {
      tls.destroy();
      this.#rules.onRefused(wrong, arrival.remote);
      return;
    }
    this.#rules.onSecure(tls);
    this.#admit();
  }

  #onTlsError(arrival: Arrival, error: Error): void {
    if (!this.#arrivals.has(arrival)) return;
    this.#forget(arrival);
    const why = plainText(String((error as { code?: unknown }).code ?? error.message));
    const message = `the TLS handshake with ${arrival.remote} failed (${why})`;
    this.#rules.onRefused(refusal('KF_RELAY_TLS_FAILED', message, error), arrival.remote);
    arrival.socket.destroy();
    this.#admit();
  }

  #timeOut(arrival: Arrival): void {
    const { remote } = arrival;
    this.#forget(arrival);
    const message = `${remote} connected and did not finish the TLS handshake`;
    this.#rules.onRefused(refusal('KF_RELAY_HANDSHAKE_TIMEOUT', message), remote);
    arrival.tls?.destroy();
    arrival.socket.destroy();
  }

  #busy(socket: Socket, remote: string): void {
    const message = `${remote} is turned away: too many data planes are connecting at once`;
    this.#rules.onRefused(refusal('KF_RELAY_BUSY', message), remote);
    socket.destroy();
  }

  /** Destroys whoever has waited longest without being waited for. */
  #makeRoom(): boolean {
    for (const arrival of this.#arrivals) {
      if (arrival.phase !== 'silent' && arrival.phase !== 'slow') continue;
      this.#timeOut(arrival);
      return true;
    }
    return false;
  }

  #forget(arrival: Arrival): void {
    if (!this.#arrivals.delete(arrival)) return;
    this.#queue.delete(arrival);
    this.#endTurn(arrival, arrival.phase);
  }

  #endTurn(arrival: Arrival, phase: Phase): void {
    if (arrival.phase === 'shaking') this.#shaking--;
    arrival.phase = phase === 'shaking' ? 'slow' : phase;
  }
}

function remoteOf(socket: Socket): string {
  return `${socket.remoteAddress ?? 'somebody'}:${socket.remotePort ?? 0}`;
}

/**
 * What Node does for sockets of its own servers: whether the chain leads to a CA of the secure context. Without the
 * internal method the socket stays unauthorized, which refuses and never lets in. An error after the handshake is
 * only emitted under an internal name; it has to end the socket.
 */
function noteAuthorization(tls: TLSSocket): void {
  const socket = tls as unknown as {
    authorized: boolean;
    authorizationError: string;
    _handle?: { verifyError?: () => { readonly code: string } | null };
  };
  const wrong = socket._handle?.verifyError?.();
  if (wrong === null) socket.authorized = true;
  else if (wrong !== undefined) socket.authorizationError = wrong.code;
  tls.on('_tlsError', () => tls.destroy());
}
