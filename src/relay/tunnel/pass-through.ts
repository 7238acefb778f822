import { setMaxListeners } from 'node:events';
import type { Socket } from 'node:net';
import { classify, type FallbackError } from '../../errors/index.ts';
import { type Address, parseAddress } from '../../kong/index.ts';
import type { Logger } from '../../plugin/plugin.ts';
import type { Clock } from '../../resilience/index.ts';
import { Listener } from './listener.ts';
import { Tunnel } from './tunnel.ts';
import { openUpstream } from './upstream.ts';

export interface PassThroughOptions {
  /** `host:port`; port 0 takes any free one. */
  readonly listen: string;
  /** `host:port` that the bytes go to. */
  readonly to: string;
  /** More at once are closed as they come. */
  readonly maxConnections: number;
  /** Default: 3 s. */
  readonly connectMs?: number;
  readonly clock: Clock;
  readonly log: Logger;
}

const CONNECT_MS = 3000;

/** A further port (`relay.listeners`), such as the telemetry of Kong Enterprise: a wire, whatever the relay plays. */
export class PassThrough {
  readonly #options: PassThroughOptions;
  readonly #to: Address;
  readonly #listener: Listener;
  readonly #tunnels = new Set<Tunnel>();
  readonly #closed = new AbortController();
  #isDown = false;

  /** @throws FallbackError `invalid` KF_CP_ADDRESS_INVALID */
  constructor(options: PassThroughOptions) {
    const { clock, listen, log, maxConnections, to } = options;
    // Each connection that is being dialled listens to it.
    setMaxListeners(0, this.#closed.signal);
    this.#options = options;
    this.#to = parseAddress(to);
    this.#listener = new Listener({
      listen,
      setting: 'relay.listeners',
      maxConnections,
      onConnection: (socket) => void this.#join(socket),
      clock,
      log,
    });
  }

  /**
   * @returns `host:port` as it is listened on
   * @throws FallbackError KF_RELAY_LISTEN
   */
  async start(): Promise<string> {
    const address = await this.#listener.start();
    const { log, to } = this.#options;
    log.info({ event: 'relay.passing-through', listen: address, to }, `${address} is passed on to ${to}`);
    return address;
  }

  async close(): Promise<void> {
    this.#closed.abort();
    this.#listener.stopAccepting();
    const ended = [...this.#tunnels].map((tunnel) => tunnel.ended);
    for (const tunnel of this.#tunnels) tunnel.close();
    await Promise.all([...ended, this.#listener.close()]);
  }

  async #join(socket: Socket): Promise<void> {
    const { clock, connectMs = CONNECT_MS } = this.#options;
    try {
      const upstream = await openUpstream([this.#to], { connectMs, clock, signal: this.#closed.signal });
      const tunnel = new Tunnel(socket, upstream.socket, { clock, observed: false });
      this.#tunnels.add(tunnel);
      void tunnel.ended.then(() => this.#tunnels.delete(tunnel));
      this.#said(undefined);
    } catch (thrown) {
      socket.destroy();
      const failure = classify(thrown, 'pass through');
      if (failure.kind !== 'aborted') this.#said(failure);
    }
  }

  /** One line for each change. */
  #said(failure: FallbackError | undefined): void {
    if (this.#isDown === (failure !== undefined)) return;
    this.#isDown = failure !== undefined;
    const { listen, log, to } = this.#options;
    if (failure === undefined) {
      log.info({ event: 'relay.pass-through-up', listen, to }, `${to} takes connections again`);
    } else {
      const { code, hint, message } = failure;
      log.warn({ event: 'relay.pass-through-down', listen, to, code, hint }, `${listen}: ${message}`);
    }
  }
}
