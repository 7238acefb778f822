import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface LoadRequest {
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

type Answer = readonly [status: number, body: string, headers?: Readonly<Record<string, string>>];

/** The Admin API of a DB-less node, as far as POST /config and GET /status go. */
export class AdminDouble {
  readonly loads: LoadRequest[] = [];
  readonly tokens: (string | undefined)[] = [];
  /** Bytes of bodies that did not arrive whole. */
  readonly brokenOff: number[] = [];
  /** To POST /config; default: 201 with everything that was loaded. */
  answer: Answer | undefined;
  /** To GET /status. */
  status: Answer = [200, JSON.stringify({ configuration_hash: '0'.repeat(32) })];
  /** Above it a body is refused without being read, as nginx does. */
  maxBodyBytes = 10 * 2 ** 20;
  hash = 'd41d8cd98f00b204e9800998ecf8427e';
  statusRequests = 0;
  #server: Server;

  constructor() {
    this.#server = createServer((request, response) => this.#serve(request, response));
    this.#server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
      if (Number(request.headers['content-length']) > this.maxBodyBytes) {
        response.writeHead(413, { connection: 'close' }).end('<html>413 Request Entity Too Large</html>');
        return;
      }
      response.writeContinue();
      this.#serve(request, response);
    });
  }

  async listen(port = 0): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    this.tokens.push(request.headers['kong-admin-token'] as string | undefined);
    if (request.method === 'GET') {
      this.statusRequests++;
      this.#send(response, this.status);
      return;
    }
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('error', () => this.brokenOff.push(Buffer.concat(pieces).length));
    request.on('end', () => {
      const body = Buffer.concat(pieces);
      this.loads.push({ url: request.url ?? '', headers: request.headers, body });
      if (this.answer === undefined) {
        this.status = [200, JSON.stringify({ configuration_hash: this.hash })];
        this.#send(response, [201, JSON.stringify({ everything: body.toString() })]);
      } else this.#send(response, this.answer);
    });
  }

  #send(response: ServerResponse, [status, body, headers = {}]: Answer): void {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
  }
}
