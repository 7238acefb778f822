import { X509Certificate } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { createServer as createHttps, type Server as HttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcp, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Clock } from '../../src/plugin/index.ts';
import { systemClock } from '../../src/resilience/index.ts';
import type { CertificatePair } from './certificates.ts';
import { serveDataPlane } from './stand-in-session.ts';
import { type Answer, answerUpgrade, refuseHttp } from './upgrade-answer.ts';

/** What goes wrong, and where. All but `normal` are ways to be broken. */
export type Behaviour =
  | 'normal'
  /** Accepts TCP and never says a byte: a hang, or a balancer without a control plane. */
  | 'hang-tcp'
  | 'reset-tcp'
  | 'not-tls'
  /** TLS is fine, the request for a session is never answered. */
  | 'hang-tls'
  /** Drops the connection without an HTTP byte, as for a wrong client certificate. */
  | 'reset-tls'
  /** Answers 101 and nothing ever after: no frames, no pongs. */
  | 'hang-upgraded'
  /** Closes after `basic_info`, as for a wrong version. */
  | 'refuse'
  /** Answers pings, never sends a configuration, as for a missing plugin. */
  | 'silent'
  /** Cuts the connection after `basic_info`, without a close frame. */
  | 'cut'
  | 'text-frame'
  | 'not-websocket'
  /** Answers 400, as for an identity that it will not have. */
  | 'bad-request'
  /** Marks itself as one of our own relays. */
  | 'stand-in'
  /** Sends `rawReplay` in place of a WebSocket of its own. */
  | 'raw';

export interface StandInOptions {
  /** The cluster certificate (shared), or what the server presents (pki). */
  readonly certificate: CertificatePair;
  readonly mtls?: 'shared' | 'pki';
  /** PEM, for `pki`. */
  readonly ca?: string;
  /** Shown instead of `certificate`, while clients are still compared with that one. */
  readonly presented?: CertificatePair;
  /** One for all, or by gateway version. */
  readonly frames?: Buffer | Readonly<Record<string, Buffer>>;
  /** A real one often sends the same configuration twice after connecting. */
  readonly framesAtConnect?: number;
  readonly behaviour?: Behaviour;
  /** For one node, by what it asks for; undefined for all others. */
  readonly behaviourOf?: (url: string) => Behaviour | undefined;
  /** HTTP status to answer instead of 101. */
  readonly status?: number;
  /** Value of the `Date` header; `null` sends none. Default: the clock's. */
  readonly date?: string | null;
  readonly rawReplay?: Buffer;
  /** Plugins configured here: a data plane that does not list them all gets nothing. */
  readonly configuredPlugins?: readonly string[];
  readonly version?: string;
  readonly host?: string;
  readonly port?: number;
  readonly clock?: Clock;
}

export interface SeenRequest {
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly serverName: string | undefined;
  /** SHA-256 of the client's certificate. */
  readonly fingerprint: string | undefined;
}

const MAX_PAYLOAD_BYTES = 16_777_216;

/**
 * A control plane for tests, held against what a real 3.9.3 was recorded to do (test/contract/kong). Emits
 * `connection`, `request`, `basic-info`, `ping`, `frame-sent` and `closed`, with what each is about.
 */
export class StandInControlPlane extends EventEmitter {
  behaviour: Behaviour;
  connections = 0;
  framesSent = 0;
  readonly requests: SeenRequest[] = [];
  readonly basicInfos: Record<string, unknown>[] = [];
  readonly pings: string[] = [];
  readonly #options: StandInOptions;
  readonly #clock: Clock;
  readonly #tcp: Server;
  readonly #https: HttpsServer;
  readonly #ws = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    autoPong: false,
    maxPayload: MAX_PAYLOAD_BYTES,
    clientTracking: true,
  });
  readonly #sockets = new Set<Socket>();
  readonly #rawOf = new Map<number, Socket>();
  readonly #synced = new Map<WebSocket, string>();
  #frames: Readonly<Record<string, Buffer>>;

  constructor(options: StandInOptions) {
    super();
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.behaviour = options.behaviour ?? 'normal';
    this.#frames = byVersion(options.frames);
    const shown = options.presented ?? options.certificate;
    this.#https = createHttps({
      cert: shown.certificate,
      key: shown.key,
      requestCert: true,
      rejectUnauthorized: false,
      ...(options.ca !== undefined && { ca: options.ca }),
    });
    this.#https.on('request', (_request, response) => refuseHttp(response, 404));
    this.#https.on('upgrade', (request, socket, head) => this.#onUpgrade(request, socket as TLSSocket, head));
    this.#https.on('tlsClientError', () => {});
    this.#https.on('clientError', (_error, socket) => socket.destroy());
    this.#ws.on('headers', (headers) => this.#addHeaders(headers));
    this.#tcp = createTcp((socket) => this.#onConnection(socket));
  }

  async listen(): Promise<this> {
    this.#tcp.listen(this.#options.port ?? 0, this.#options.host ?? '127.0.0.1');
    await once(this.#tcp, 'listening');
    return this;
  }

  get port(): number {
    return (this.#tcp.address() as AddressInfo).port;
  }

  /** `host:port` */
  get address(): string {
    const host = this.#options.host ?? '127.0.0.1';
    return host.includes(':') ? `[${host}]:${this.port}` : `${host}:${this.port}`;
  }

  /** A change of the configuration: every data plane connected gets it at once. */
  setFrame(frame: Buffer, version?: string): void {
    this.#frames = version === undefined ? byVersion(frame) : { ...this.#frames, [version]: frame };
    for (const [websocket, itsVersion] of this.#synced) this.#sendFrame(websocket, itsVersion);
  }

  /** As SIGKILL does: every connection is cut, nothing is said. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#tcp.close(() => resolve()));
    for (const socket of this.#sockets) socket.resetAndDestroy();
    this.#ws.close();
    this.#https.close();
    await closed;
  }

  /** Sessions that stand, to act on from a test. */
  get clients(): ReadonlySet<WebSocket> {
    return this.#ws.clients;
  }

  /** The sockets that are open now; 0 shows that a client has left nothing behind. */
  get open(): number {
    return this.#sockets.size;
  }

  #onConnection(socket: Socket): void {
    this.connections++;
    this.#sockets.add(socket);
    this.#rawOf.set(socket.remotePort ?? 0, socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.#rawOf.delete(socket.remotePort ?? 0);
      this.emit('closed');
    });
    this.emit('connection', socket);
    if (this.behaviour === 'hang-tcp') socket.resume();
    else if (this.behaviour === 'reset-tcp') socket.resetAndDestroy();
    else if (this.behaviour === 'not-tls') socket.resume().end('HTTP/1.1 400 Bad Request\r\n\r\n');
    else this.#https.emit('connection', socket);
  }

  #onUpgrade(request: import('node:http').IncomingMessage, socket: TLSSocket, head: Buffer): void {
    socket.on('error', () => {});
    const url = request.url ?? '';
    this.requests.push({
      url,
      rawHeaders: request.rawHeaders,
      serverName: (socket as { servername?: string }).servername,
      fingerprint: socket.getPeerX509Certificate()?.fingerprint256,
    });
    this.emit('request', url);
    const accepted = this.#answer(url, socket);
    if (!answerUpgrade(accepted, socket, this.#options.rawReplay, request)) return;
    this.#ws.handleUpgrade(request, socket, head, (websocket) => this.#serve(websocket, socket, url));
  }

  #behaviourTo(url: string): Behaviour {
    return this.#options.behaviourOf?.(url) ?? this.behaviour;
  }

  #answer(url: string, socket: TLSSocket): Answer {
    const behaviour = this.#behaviourTo(url);
    if (behaviour === 'hang-tls') return 'nothing';
    if (behaviour === 'reset-tls') return 'drop';
    if (behaviour === 'raw') return 'raw';
    if (behaviour === 'not-websocket') return 200;
    if (behaviour === 'bad-request') return 400;
    if (this.#options.status !== undefined) return this.#options.status;
    const query = new URL(url, 'http://cp');
    if (query.pathname !== '/v1/outlet') return 404;
    if (this.#options.mtls === 'pki') {
      if (!socket.authorized) return 400;
    } else if (!this.#isOwn(socket)) return 'drop';
    return query.searchParams.get('node_id') && query.searchParams.get('node_version') ? 101 : 400;
  }

  #isOwn(socket: TLSSocket): boolean {
    const own = new X509Certificate(this.#options.certificate.certificate).fingerprint256;
    return socket.getPeerX509Certificate()?.fingerprint256 === own;
  }

  #addHeaders(headers: string[]): void {
    const { date } = this.#options;
    if (date !== null) headers.push(`Date: ${date ?? new Date(this.#clock.now()).toUTCString()}`);
    if (this.behaviour === 'stand-in') headers.push('x-kongfallback-stand-in: 1');
  }

  #serve(websocket: WebSocket, socket: TLSSocket, url: string): void {
    serveDataPlane(websocket, {
      clock: this.#clock,
      behaviour: () => this.#behaviourTo(url),
      onBasicInfo: (info) => {
        this.basicInfos.push(info);
        this.emit('basic-info', info);
      },
      onPing: (payload) => {
        this.pings.push(payload);
        this.emit('ping', payload);
      },
      onIntroduced: (plugins) => this.#configure(websocket, socket, url, plugins),
      onClosed: () => this.#synced.delete(websocket),
    });
  }

  #configure(websocket: WebSocket, socket: TLSSocket, url: string, plugins: readonly unknown[]): void {
    const version = new URL(url, 'http://cp').searchParams.get('node_version') ?? '';
    const behaviour = this.#behaviourTo(url);
    if (behaviour === 'cut') this.#rawOf.get(socket.remotePort ?? 0)?.resetAndDestroy();
    else if (behaviour === 'refuse' || !this.#speaks(version)) websocket.close();
    else if (behaviour === 'text-frame') websocket.send('{"type":"reconfigure"}');
    else if (behaviour !== 'silent' && this.#hasAllPlugins(plugins)) {
      this.#synced.set(websocket, version);
      for (let n = 0; n < (this.#options.framesAtConnect ?? 1); n++) this.#sendFrame(websocket, version);
    }
  }

  #sendFrame(websocket: WebSocket, version: string): void {
    const frame = this.#frames[version] ?? this.#frames['*'];
    if (frame === undefined || websocket.readyState !== websocket.OPEN) return;
    websocket.send(frame, { binary: true });
    this.framesSent++;
    this.emit('frame-sent', version);
  }

  /** Same major, and a minor not above its own. */
  #speaks(version: string): boolean {
    const [major, minor] = (this.#options.version ?? '3.9.3').split('.').map(Number);
    const [, itsMajor, itsMinor] = /^(\d+)\.(\d+)\.\d+/.exec(version) ?? [];
    return itsMajor !== undefined && Number(itsMajor) === major && Number(itsMinor) <= (minor ?? 0);
  }

  #hasAllPlugins(plugins: readonly unknown[]): boolean {
    const names = new Set(plugins.map((plugin) => (plugin as { name?: unknown } | null)?.name));
    return (this.#options.configuredPlugins ?? []).every((name) => names.has(name));
  }
}

export function startStandInControlPlane(options: StandInOptions): Promise<StandInControlPlane> {
  return new StandInControlPlane(options).listen();
}

function byVersion(frames: StandInOptions['frames']): Readonly<Record<string, Buffer>> {
  if (frames === undefined) return {};
  return Buffer.isBuffer(frames) ? { '*': frames } : frames;
}
