import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Tunnel, type TunnelOptions } from '../../../../src/relay/tunnel/tunnel.ts';
import type { Clock } from '../../../../src/resilience/index.ts';

/** A tunnel over the loopback interface, and both of its ends. */
export interface Joined {
  readonly tunnel: Tunnel;
  /** The data plane's own socket. */
  readonly dataPlane: Socket;
  /** The control plane's own socket. */
  readonly controlPlane: Socket;
  /** The relay's two. */
  readonly inner: { readonly down: Socket; readonly up: Socket };
}

export class Loopback {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #paused: boolean;

  constructor(options: { readonly paused: boolean }) {
    this.#paused = options.paused;
    this.#server = createServer({ pauseOnConnect: this.#paused, allowHalfOpen: true });
  }

  async listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** Two ends of one connection; `accepted` is paused when so asked for. */
  async pair(): Promise<{ dialled: Socket; accepted: Socket }> {
    const accepting = once(this.#server, 'connection') as Promise<[Socket]>;
    const dialled = connect({ port: this.port, host: '127.0.0.1', allowHalfOpen: true });
    const [[accepted]] = await Promise.all([accepting, once(dialled, 'connect')]);
    for (const socket of [dialled, accepted]) {
      socket.on('error', () => {});
      this.#sockets.add(socket);
    }
    return { dialled, accepted };
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

/** @param options.clock of the tunnel */
export async function joined(
  loopback: Loopback,
  options: Partial<TunnelOptions> & { readonly clock: Clock },
): Promise<Joined> {
  const [outer, further] = [await loopback.pair(), await loopback.pair()];
  const tunnel = new Tunnel(outer.accepted, further.accepted, options);
  return {
    tunnel,
    dataPlane: outer.dialled,
    controlPlane: further.dialled,
    inner: { down: outer.accepted, up: further.accepted },
  };
}
