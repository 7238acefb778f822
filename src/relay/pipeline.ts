// DP ⇄ tunnel ⇄ CP while the control plane answers; DP ⇄ stand-in while it does not.
import type { Socket } from 'node:net';
import { classify, type FallbackError } from '../errors/index.ts';
import type { Address } from '../kong/index.ts';
import type { Logger } from '../plugin/plugin.ts';
import { aborted, type Clock } from '../resilience/index.ts';
import type { AdmissionTicket } from './admission/admission.ts';
import { greeting } from './tunnel/greeting.ts';
import { ListenerCount } from './tunnel/listener-count.ts';
import type { OpenTunnels } from './tunnel/open-tunnels.ts';
import { Tunnel } from './tunnel/tunnel.ts';
import type { ControlPlaneView } from './verdict.ts';

export interface SwitchOverDependencies {
  /** What is held of the control plane, and whom to tell what the tunnels see. */
  readonly watch: {
    view(): ControlPlaneView;
    settled(options: { readonly waitMs: number; readonly signal: AbortSignal }): Promise<ControlPlaneView>;
    tunnelFailed(error: FallbackError): void;
    tunnelSilent(): void;
    tunnelAnswered(): void;
  };
  /** Undefined: everybody is let through at once (sidecar). */
  readonly admission:
    | {
        enter(options: {
          readonly waitMs: number;
          readonly signal: AbortSignal;
        }): Promise<AdmissionTicket | undefined>;
      }
    | undefined;
  /** What the stand-in serves: right after a start it is still being read. */
  readonly copies: {
    looked(options: { readonly waitMs: number; readonly signal: AbortSignal }): Promise<void>;
  };
  readonly standIn: { accept(socket: Socket): void };
  /** `withinMs`: for all addresses together. */
  readonly openUpstream: (
    preferred: string | undefined,
    options: { readonly withinMs: number; readonly signal: AbortSignal },
  ) => Promise<{ readonly socket: Socket; readonly address: Address }>;
  readonly tunnels: OpenTunnels;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A data plane waits 5 s for TLS; what is left of them is for the handshake. */
const HOLD_MS = 4000;
/** A data plane asks at once; this is as long as it would wait itself. */
const SILENT_MS = 5000;
/** A connection may fail while another address, or the next moment, gives one. */
const MOST_TRIES = 2;
/** Also after a long wait a control plane that is near gets its chance: the data plane may still be there. */
const LEAST_CONNECT_MS = 1000;

/** Decides for each data plane that dials who answers it. Never throws; a socket that nobody takes is closed. */
export class SwitchOver {
  readonly #deps: SwitchOverDependencies;
  readonly #stopped: AbortSignal;
  readonly #strangers: ListenerCount;
  #held = 0;

  constructor(deps: SwitchOverDependencies, stopped: AbortSignal) {
    this.#deps = deps;
    this.#stopped = stopped;
    const { clock, log } = deps;
    this.#strangers = new ListenerCount(clock, stopped, (count) =>
      log.warn(
        { event: 'relay.strangers', count },
        `connections that asked for no TLS within ${SILENT_MS / 1000} s were closed: ${count}`,
      ),
    );
  }

  /** Data planes that dialled and wait for a verdict, an admission or a connection. */
  get held(): number {
    return this.#held;
  }

  /** Takes over a paused socket of which no byte was read. */
  async accept(socket: Socket): Promise<void> {
    // Not AbortSignal.any: one for each data plane would stay with a signal that lives as long as the relay.
    const over = new AbortController();
    const { signal } = over;
    const onOver = () => over.abort();
    socket.on('error', onOver).once('close', onOver);
    this.#stopped.addEventListener('abort', onOver, { once: true });
    this.#held++;
    try {
      await this.#serve(socket, signal, this.#deps.clock.monotonic() + HOLD_MS);
    } catch (thrown) {
      socket.destroy();
      const { code, kind, message } = classify(thrown, 'relay');
      if (kind !== 'aborted') {
        this.#deps.log.warn({ event: 'relay.not-served', code }, `a data plane was not served: ${message}`);
      }
    } finally {
      this.#held--;
      socket.off('close', onOver);
      this.#stopped.removeEventListener('abort', onOver);
    }
  }

  async #serve(socket: Socket, signal: AbortSignal, until: number): Promise<void> {
    const { copies, standIn, watch } = this.#deps;
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const { verdict } = await watch.settled({ waitMs: this.#left(until), signal });
      if (verdict === 'down') break;
      if (tries === 0 && !(await this.#asksForTls(socket, signal))) return;
      if (watch.view().verdict === 'down') break;
      if (await this.#letThrough(socket, signal, until)) return;
    }
    await copies.looked({ waitMs: this.#left(until), signal });
    // It may leave at any moment from here on; the stand-in copes with that as with every other peer.
    standIn.accept(socket);
  }

  /**
   * Who does not ask for TLS, as a check of the port does not, must not stand at the door before those who do, and costs
   * the control plane no connection.
   *
   * @returns false when it has left or was closed
   */
  async #asksForTls(socket: Socket, signal: AbortSignal): Promise<boolean> {
    const over = new AbortController();
    const onOver = () => over.abort();
    signal.addEventListener('abort', onOver, { once: true });
    let isLate = false;
    const onLate = () => {
      isLate = true;
      onOver();
    };
    this.#deps.clock.sleep(SILENT_MS, over.signal).then(onLate, () => {});
    const said = await greeting(socket, over.signal);
    onOver();
    signal.removeEventListener('abort', onOver);
    if (signal.aborted) throw aborted(signal);
    if (said === 'hello') return true;
    if (said === 'noise' || isLate) this.#strangers.add();
    socket.destroy();
    return false;
  }

  /** @returns false when the control plane took no connection, or when it is not this one's turn */
  async #letThrough(socket: Socket, signal: AbortSignal, until: number): Promise<boolean> {
    const { admission, openUpstream, watch } = this.#deps;
    const ticket = await admission?.enter({ waitMs: this.#left(until), signal });
    if (admission !== undefined && ticket === undefined) return false;
    try {
      const options = { withinMs: Math.max(LEAST_CONNECT_MS, this.#left(until)), signal };
      this.#join(socket, await openUpstream(watch.view().address, options), ticket);
      return true;
    } catch (thrown) {
      ticket?.refused();
      if (signal.aborted) throw thrown;
      watch.tunnelFailed(classify(thrown, 'tunnel'));
      return false;
    }
  }

  #join(
    socket: Socket,
    upstream: { readonly socket: Socket; readonly address: Address },
    ticket: AdmissionTicket | undefined,
  ): void {
    const { clock, tunnels, watch } = this.#deps;
    const tunnel = new Tunnel(socket, upstream.socket, { clock });
    tunnels.add(tunnel);
    void tunnel.answered.then((answered) => {
      if (answered === true) watch.tunnelAnswered();
      if (answered !== false) return;
      watch.tunnelSilent();
      ticket?.refused();
    });
    void tunnel.carried.then((tookMs) => {
      if (tookMs === undefined) ticket?.release();
      else ticket?.carried(tookMs);
    });
    void tunnel.ended.then(() => ticket?.release());
  }

  #left(until: number): number {
    return Math.max(0, until - this.#deps.clock.monotonic());
  }
}
