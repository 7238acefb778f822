import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Answer = readonly [status: number, body: string];

/** The Admin API of a gateway without a database, as far as GET / and POST /config go. */
export class GatewayDouble {
  readonly loads: { readonly url: string; readonly token: string | undefined; readonly body: Buffer }[] = [];
  version = '3.9.3';
  /** To GET /, instead of the version. */
  root: Answer | undefined;
  /** To POST /config, one after the other; the last one stays. */
  answers: Answer[] = [[201, '{}']];
  /** Above it a body is refused without being read, as nginx does. */
  maxBodyBytes = Number.POSITIVE_INFINITY;
  /** Takes requests and never answers. */
  isSilent = false;
  asked = 0;
  readonly #server: Server;
  #port = 0;
  readonly #waiting: (() => void)[] = [];

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

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  /** Also after it was closed. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Resolves with the next request. */
  next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    this.asked++;
    for (const asked of this.#waiting.splice(0)) asked();
    if (this.isSilent) return;
    if (request.method === 'GET') {
      this.#send(response, this.root ?? [200, JSON.stringify({ version: this.version })]);
      return;
    }
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const token = request.headers['kong-admin-token'] as string | undefined;
      this.loads.push({ url: request.url ?? '', token, body: Buffer.concat(pieces) });
      this.#send(response, (this.answers.length > 1 ? this.answers.shift() : this.answers[0]) ?? [500, '']);
    });
  }

  #send(response: ServerResponse, [status, body]: Answer): void {
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  }
}
