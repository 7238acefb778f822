// A server that says exactly these bytes and no more, on loopback: for peers that stall or trickle.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

export class RawServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #heard = 0;
  #waiting: { readonly bytes: number; readonly resolve: () => void } | undefined;

  /** @param says written as soon as anything arrives; a trickle follows piece by piece, on `drip()` */
  constructor(says: string | undefined) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => this.#sockets.delete(socket));
      socket.on('data', (chunk) => {
        if (this.#heard === 0 && says !== undefined) socket.write(says);
        this.#heard += chunk.length;
        if (this.#waiting !== undefined && this.#heard >= this.#waiting.bytes) this.#waiting.resolve();
      });
    });
  }

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** Until so many bytes of requests have arrived. */
  heard(bytes = 1): Promise<void> {
    return new Promise((resolve) => {
      if (this.#heard >= bytes) resolve();
      else this.#waiting = { bytes, resolve };
    });
  }

  /** One more byte to everybody who is connected. */
  drip(): void {
    for (const socket of this.#sockets) socket.write(' ');
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
