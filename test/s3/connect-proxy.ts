// An HTTP proxy that only tunnels (CONNECT), on loopback. Names that do not exist lead wherever a test wants.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { CertificatePair } from '../stand-in/certificates.ts';

export interface ConnectProxyOptions {
  /** Port on loopback that every destination leads to. */
  readonly leadsTo?: () => number;
  /** user:password that it asks for. */
  readonly credentials?: string;
  /** Answered instead of a tunnel. */
  readonly refuses?: number;
  /** What is sent for an answer, as it stands; nothing more happens. */
  readonly says?: string;
  readonly tls?: CertificatePair;
}

export class ConnectProxy {
  /** host:port of every request, granted or not. */
  readonly asked: string[] = [];
  readonly #options: ConnectProxyOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Duplex>();

  constructor(options: ConnectProxyOptions = {}) {
    this.#options = options;
    const { tls } = options;
    this.#server =
      tls === undefined ? createServer() : createTlsServer({ cert: tls.certificate, key: tls.key });
    this.#server.on('connection', (socket) => this.#hold(socket));
    this.#server.on('request', (_, response) => response.writeHead(405).end());
    this.#server.on('connect', (request, socket, head) => this.#tunnel(request, socket, head));
  }

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `${this.#options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${this.port}`;
  }

  /** Connections that stand at this moment, on both sides. */
  get open(): number {
    return this.#sockets.size;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #tunnel(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { credentials, leadsTo, refuses, says } = this.#options;
    const authority = request.url ?? '';
    this.asked.push(authority);
    socket.on('error', () => {});
    const wanted = credentials === undefined ? undefined : `Basic ${btoa(credentials)}`;
    if (says !== undefined)
      socket
        .on('end', () => socket.destroy())
        .resume()
        .write(says);
    else if (wanted !== undefined && request.headers['proxy-authorization'] !== wanted) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n');
    } else if (refuses !== undefined) socket.end(`HTTP/1.1 ${refuses} No\r\nContent-Length: 0\r\n\r\n`);
    else {
      const port = leadsTo?.() ?? Number(authority.slice(authority.lastIndexOf(':') + 1));
      const far = this.#hold(connect(port, '127.0.0.1'));
      far.on('error', () => {});
      // What the server said last still arrives.
      far.on('close', () => (socket as Socket).destroySoon());
      socket.on('close', () => far.destroy());
      far.once('connect', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        if (head.length > 0) far.write(head);
        far.pipe(socket).pipe(far);
      });
    }
  }

  #hold<T extends Duplex>(socket: T): T {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    return socket;
  }
}
