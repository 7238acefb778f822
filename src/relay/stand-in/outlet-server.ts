import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type WebSocket from 'ws';
import { WebSocketServer } from 'ws';
import type { FallbackError } from '../../errors/index.ts';
import { STAND_IN_HEADER } from '../../kong/index.ts';
import type { Clock } from '../../plugin/plugin.ts';
import type { StandInLimits } from './limits.ts';
import { plainText } from './plain-text.ts';
import { refusal } from './refusal.ts';
import { RPC_SUBPROTOCOL } from './rpc-session.ts';
import type { Caller } from './session-rules.ts';

export interface OutletRules {
  readonly clock: Clock;
  readonly limits: StandInLimits;
  onOutlet(websocket: WebSocket, socket: TLSSocket, caller: Caller): void;
  onRpc(websocket: WebSocket, socket: TLSSocket): void;
  onRefused(error: FallbackError, remote: string): void;
}

const MAX_HEADER_BYTES = 8192;
/** A 15 KB message that comes a byte at a time would have more. */
const MAX_CHUNKS = 4096;

/** The HTTP of a control plane's cluster port: what a socket asks for once TLS stands. */
export class OutletServer {
  readonly #rules: OutletRules;
  readonly #http: Server;
  readonly #ws: WebSocketServer;
  /** Without a session yet, and since when. */
  readonly #asking = new Map<TLSSocket, number>();

  constructor(rules: OutletRules) {
    this.#rules = rules;
    // Never listens, so that its own deadlines never run: `tick` has them.
    this.#http = createServer({ maxHeaderSize: MAX_HEADER_BYTES, insecureHTTPParser: false });
    this.#http.maxHeadersCount = 64;
    this.#http.maxRequestsPerSocket = 1;
    this.#http.on('request', (request, response) => {
      const status = this.#statusOf(request, false);
      response.writeHead(status, { connection: 'close' }).end();
    });
    this.#http.on('upgrade', (request, socket, head) => this.#onUpgrade(request, socket as TLSSocket, head));
    this.#http.on('clientError', (error, socket) => this.#onClientError(error, socket as TLSSocket));
    this.#ws = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      autoPong: false,
      maxPayload: rules.limits.maxMessageBytes,
      maxFragments: 1,
      maxBufferedChunks: MAX_CHUNKS,
      handleProtocols: (offered) =>
        offered.has(RPC_SUBPROTOCOL) ? RPC_SUBPROTOCOL : ([...offered][0] ?? false),
    });
    this.#ws.on('headers', (headers) => {
      headers.push(`Date: ${new Date(rules.clock.now()).toUTCString()}`, `${STAND_IN_HEADER}: 1`);
    });
    this.#ws.on('wsClientError', (error, socket) => {
      this.#refuse(socket as TLSSocket, `asks for a WebSocket wrongly: ${error.message}`);
      socket.end(answer(400));
    });
  }

  /** Sockets that have not got a session, or an answer. */
  get size(): number {
    return this.#asking.size;
  }

  take(socket: TLSSocket): void {
    this.#asking.set(socket, this.#rules.clock.monotonic());
    socket.once('close', () => this.#asking.delete(socket));
    this.#http.emit('connection', socket);
  }

  tick(now: number): void {
    for (const [socket, since] of this.#asking) {
      if (now - since < this.#rules.limits.requestMs) continue;
      this.#asking.delete(socket);
      const remote = remoteOf(socket);
      const message = `${remote} did not finish its request`;
      this.#rules.onRefused(refusal('KF_RELAY_HANDSHAKE_TIMEOUT', message), remote);
      socket.destroy();
    }
  }

  destroy(): void {
    for (const socket of [...this.#asking.keys()]) socket.destroy();
  }

  #onUpgrade(request: IncomingMessage, socket: TLSSocket, head: Buffer): void {
    const status = this.#statusOf(request, true);
    if (status !== 101) {
      socket.end(answer(status));
      return;
    }
    const path = pathOf(request);
    const remote = remoteOf(socket);
    this.#ws.handleUpgrade(request, socket, head, (websocket) => {
      this.#asking.delete(socket);
      if (path === '/v2/outlet') this.#rules.onRpc(websocket, socket);
      else this.#rules.onOutlet(websocket, socket, callerOf(request, remote));
    });
  }

  #statusOf(request: IncomingMessage, isUpgrade: boolean): number {
    const path = pathOf(request);
    const socket = request.socket as TLSSocket;
    if (path === '/v1/outlet') {
      const query = queryOf(request);
      if (isUpgrade && query.get('node_id') && query.get('node_version')) return 101;
      this.#refuse(socket, 'asks for /v1/outlet without node_id, node_version, or a WebSocket');
      return 400;
    }
    if (path === '/v2/outlet' && isUpgrade && offersRpc(request)) return 101;
    // How 3.0 finds out which protocol to speak: nothing is wrong.
    if (path !== '/v1/wrpc') this.#refuse(socket, `asks for ${JSON.stringify(plainText(request.url ?? ''))}`);
    return 404;
  }

  #onClientError(error: Error, socket: TLSSocket): void {
    const code = String((error as { code?: unknown }).code);
    if (this.#asking.has(socket) && code !== 'ECONNRESET')
      this.#refuse(socket, `does not speak HTTP (${code})`);
    socket.destroy();
  }

  #refuse(socket: TLSSocket, what: string): void {
    const remote = remoteOf(socket);
    this.#rules.onRefused(refusal('KF_RELAY_BAD_REQUEST', `${remote} ${what}`), remote);
  }
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?', 1)[0] ?? '';
}

/** Kong writes the values unescaped. */
function queryOf(request: IncomingMessage): URLSearchParams {
  return new URLSearchParams((request.url ?? '').slice(pathOf(request).length));
}

function callerOf(request: IncomingMessage, remote: string): Caller {
  const query = queryOf(request);
  const told = (name: string) => plainText(query.get(name) ?? '');
  return {
    nodeId: told('node_id'),
    hostname: told('node_hostname'),
    gatewayVersion: told('node_version'),
    remote,
  };
}

function offersRpc(request: IncomingMessage): boolean {
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',');
  return offered.some((name) => name.trim() === RPC_SUBPROTOCOL);
}

function answer(status: number): string {
  const reason = status === 404 ? 'Not Found' : 'Bad Request';
  return `HTTP/1.1 ${status} ${reason}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`;
}

function remoteOf(socket: Socket): string {
  return `${socket.remoteAddress ?? 'somebody'}:${socket.remotePort ?? 0}`;
}
