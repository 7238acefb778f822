import { randomUUID, X509Certificate } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls, type SecureVersion, type TLSSocket } from 'node:tls';
import { gunzipSync } from 'node:zlib';
import WebSocket from 'ws';
import { bundledPlugins, configHashes, EMPTY_HASH, STAND_IN_HEADER } from '../../src/kong/index.ts';
import type { Clock } from '../../src/plugin/index.ts';
import { systemClock } from '../../src/resilience/index.ts';
import type { CertificatePair } from './certificates.ts';

export interface TestDataPlaneOptions {
  readonly port: number;
  readonly host?: string;
  /** Its own; with `shared` also what it trusts. */
  readonly certificate: CertificatePair;
  /** PEM that it trusts, for `pki`. */
  readonly ca?: string;
  /** The name that it asks for and checks. Default: kong_clustering. */
  readonly serverName?: string;
  readonly minVersion?: SecureVersion;
  readonly maxVersion?: SecureVersion;
  readonly gatewayVersion?: string;
  readonly nodeId?: string;
  readonly hostname?: string;
  /** Default: those that Kong has by itself. */
  readonly plugins?: readonly string[];
  /** What it runs at the start. Default: nothing. */
  readonly hash?: string;
  /** Whether it can load a document; one that cannot is kept out, without a word. Default: it can. */
  readonly loads?: (document: Record<string, unknown>) => boolean;
  /** From the last byte of a frame to the ping that tells its hash. A real one takes about 1000. */
  readonly applyMs?: number;
  /** Until the 101. */
  readonly connectMs?: number;
  readonly clock?: Clock;
  readonly basicInfo?: Record<string, unknown>;
}

interface Message {
  readonly type?: unknown;
  readonly config_hash?: string | null;
  readonly config_table: Record<string, unknown>;
}

const PING_EVERY_MS = 30_000;
const APPLY_MS = 1000;
const CONNECT_MS = 5000;

/**
 * A data plane as it was recorded: trusts and checks the name kong_clustering, introduces itself, pings at once with
 * the hash that it runs, every 30 s, and after each apply. Emits `frame`, `pong`, `applied` and `closed`. It never dials
 * again by itself: `connect` anew with `hash: former.configHash` is the return of the same one.
 */
export class TestDataPlane extends EventEmitter {
  readonly nodeId: string;
  readonly gatewayVersion: string;
  /** As received: gzip. */
  readonly frames: Buffer[] = [];
  /** Payloads; a control plane's are empty. */
  readonly pongs: Buffer[] = [];
  /** Who answered, by the header on its 101. */
  readonly origin: 'stand-in' | 'control-plane';
  /** Headers of the 101. */
  readonly headers: IncomingMessage['headers'];
  /** Resolves when the session has ended: the code of the close frame, 1005 for one without, 1006 for none. */
  readonly closed: Promise<number>;
  readonly websocket: WebSocket;
  readonly socket: TLSSocket;
  /** What it runs: what its next ping says. */
  configHash: string;
  /** The `config_table` that it runs, once it was sent one. */
  document: Record<string, unknown> | undefined;
  readonly #options: TestDataPlaneOptions;
  readonly #clock: Clock;
  readonly #ended = new AbortController();

  /** Resolves when the session stands and `basic_info` and the first ping are on their way. */
  static async connect(options: TestDataPlaneOptions): Promise<TestDataPlane> {
    const nodeId = options.nodeId ?? randomUUID();
    const socket = await secured(options);
    const { headers, websocket } = await upgraded(socket, outletPath(options, nodeId), options);
    return new TestDataPlane(options, nodeId, socket, websocket, headers);
  }

  private constructor(
    options: TestDataPlaneOptions,
    nodeId: string,
    socket: TLSSocket,
    websocket: WebSocket,
    headers: IncomingMessage['headers'],
  ) {
    super();
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.nodeId = nodeId;
    this.gatewayVersion = options.gatewayVersion ?? '3.9.3';
    this.socket = socket;
    this.websocket = websocket;
    this.headers = headers;
    this.origin = headers[STAND_IN_HEADER] === undefined ? 'control-plane' : 'stand-in';
    this.configHash = options.hash ?? EMPTY_HASH;
    this.closed = new Promise((resolve) => {
      websocket.once('close', (code) => {
        this.#ended.abort();
        this.emit('closed', code);
        resolve(code);
      });
    });
    websocket
      .on('message', (data) => this.#onFrame(data as Buffer))
      .on('pong', (payload) => {
        this.pongs.push(payload);
        this.emit('pong', payload);
      })
      .on('error', () => {});
    websocket.resume();
    websocket.send(Buffer.from(JSON.stringify(this.#basicInfo())), { binary: true });
    this.ping();
    this.#pingEvery();
  }

  /** Sends the hash that it runs, or anything else. */
  ping(payload: string = this.configHash): void {
    if (this.websocket.readyState === WebSocket.OPEN) this.websocket.ping(payload);
  }

  /** Resolves with the number of frames when there are as many, or the session has ended. */
  async received(frames: number): Promise<number> {
    while (this.frames.length < frames && !this.#ended.signal.aborted) {
      await Promise.race([once(this, 'frame'), this.closed]);
    }
    return this.frames.length;
  }

  /** Resolves when it runs a configuration with this hash, or the session has ended. */
  async applied(hash?: string): Promise<string> {
    const runs = () => (hash === undefined ? this.document !== undefined : this.configHash === hash);
    while (!runs() && !this.#ended.signal.aborted) await Promise.race([once(this, 'applied'), this.closed]);
    return this.configHash;
  }

  /** As a stopping gateway leaves. */
  async close(): Promise<void> {
    this.websocket.close();
    const late = new AbortController();
    const bound = this.#clock.sleep(1000, late.signal).catch(() => {});
    await Promise.race([this.closed, bound]);
    late.abort();
    this.kill();
    await this.closed;
  }

  /** As one that loses its power. */
  kill(): void {
    this.websocket.terminate();
    this.socket.destroy();
  }

  #onFrame(gzip: Buffer): void {
    this.frames.push(gzip);
    this.emit('frame', gzip);
    const message = JSON.parse(gunzipSync(gzip).toString()) as Message;
    if (message.type !== 'reconfigure') return;
    const hash = message.config_hash ?? configHashes(message.config_table).config;
    if (hash === this.configHash) return;
    const loads = this.#options.loads?.(message.config_table) ?? true;
    if (!loads) return;
    this.#after(this.#options.applyMs ?? APPLY_MS, () => {
      this.configHash = hash;
      this.document = message.config_table;
      this.ping();
      this.emit('applied', hash);
    });
  }

  #basicInfo(): Record<string, unknown> {
    const names = this.#options.plugins ?? bundledPlugins(this.gatewayVersion);
    return (
      this.#options.basicInfo ?? {
        type: 'basic_info',
        plugins: names.map((name) => ({ name, version: this.gatewayVersion })),
        process_conf: {},
        filters: {},
        labels: {},
      }
    );
  }

  #pingEvery(): void {
    this.#after(PING_EVERY_MS, () => {
      this.ping();
      this.#pingEvery();
    });
  }

  #after(ms: number, work: () => void): void {
    this.#clock.sleep(ms, this.#ended.signal).then(work, () => {});
  }
}

function outletPath(options: TestDataPlaneOptions, nodeId: string): string {
  const { gatewayVersion = '3.9.3', hostname = 'test-dp' } = options;
  return `/v1/outlet?node_id=${nodeId}&node_hostname=${hostname}&node_version=${gatewayVersion}`;
}

/** Mutual TLS as a data plane does it: with a name in any case, and checking it. */
export function secured(options: TestDataPlaneOptions): Promise<TLSSocket> {
  const { certificate, serverName = 'kong_clustering' } = options;
  return new Promise((resolve, reject) => {
    const tcp = connectTcp({ port: options.port, host: options.host ?? '127.0.0.1', noDelay: true });
    tcp.once('error', reject);
    tcp.setTimeout(options.connectMs ?? CONNECT_MS, () => tcp.destroy(new Error('timed out')));
    const tls = connectTls({
      socket: tcp,
      servername: serverName,
      cert: certificate.certificate,
      key: certificate.key,
      ca: options.ca ?? certificate.certificate,
      minVersion: options.minVersion ?? 'TLSv1.2',
      maxVersion: options.maxVersion ?? 'TLSv1.3',
      checkServerIdentity: (_name, peer) =>
        new X509Certificate(peer.raw).checkHost(serverName, { subject: 'default' }) === undefined
          ? new Error(`the certificate is not that of ${serverName}`)
          : undefined,
    });
    tls.once('error', reject);
    tls.once('close', () => reject(new Error('closed during TLS')));
    tls.once('secureConnect', () => {
      tcp.setTimeout(0);
      tls.on('error', () => {});
      resolve(tls);
    });
  });
}

function upgraded(
  socket: TLSSocket,
  path: string,
  options: TestDataPlaneOptions,
): Promise<{ websocket: WebSocket; headers: IncomingMessage['headers'] }> {
  return new Promise((resolve, reject) => {
    const websocket = new WebSocket(`ws://${options.host ?? '127.0.0.1'}:${options.port}${path}`, {
      createConnection: () => socket,
      perMessageDeflate: false,
      autoPong: false,
    });
    // `handshakeTimeout` of ws counts on a socket that has its own.
    socket.setTimeout(options.connectMs ?? CONNECT_MS, () => socket.destroy(new Error('timed out')));
    let headers: IncomingMessage['headers'] = {};
    websocket.once('upgrade', (response) => {
      headers = response.headers;
    });
    websocket.once('unexpected-response', (_request, response) => {
      socket.destroy();
      reject(new Error(`HTTP ${response.statusCode}`));
    });
    websocket.once('error', reject);
    websocket.once('open', () => {
      socket.setTimeout(0);
      websocket.pause();
      websocket.off('error', reject);
      resolve({ websocket, headers });
    });
  });
}
