// Data planes for herd.ts, many in one process, that do as little as real ones would have to: dial, introduce themselves,
// ping with what they run, read, and dial again 5 to 10 s after whatever went wrong. Says 'ready', is given a HerdTask, sends
// { configured } with the moment of each first whole configuration from the control plane itself.
import { connect, type TLSSocket } from 'node:tls';
import { sharedNow } from './herd-clock.ts';
import { randomAt } from './random.ts';

export interface HerdTask {
  readonly port: number;
  readonly certificate: string;
  readonly key: string;
  readonly count: number;
  readonly seed: number;
  /** Of the one configuration that there is. */
  readonly hash: string;
  /** Begin at random moments of so long. */
  readonly spreadMs: number;
  /** The next one dials when the former one is configured. */
  readonly oneByOne?: boolean;
}

const EMPTY_HASH = '0'.repeat(32);
const PING_EVERY_MS = 30_000;
/** For the connection, for TLS and for the 101. */
const PATIENCE_MS = 5000;
const END_OF_101 = '\r\n\r\n';
/** The first frame begins well before. */
const MOST_OF_HEAD = 4096;

process.once('message', (task: HerdTask) => {
  const next = randomAt(task.seed, 1);
  const start = (n: number) => {
    const dataPlane = new DataPlane(task, n, next, () => {
      process.send?.({ configured: sharedNow() });
      if (task.oneByOne && n + 1 < task.count) start(n + 1);
    });
    setTimeout(() => dataPlane.dial(), task.spreadMs === 0 ? 0 : next() % task.spreadMs);
  };
  for (let n = 0; n < (task.oneByOne ? 1 : task.count); n++) start(n);
});

process.once('disconnect', () => process.exit());
// A message that comes while modules are still loaded would be lost.
process.send?.('ready');

class DataPlane {
  readonly #task: HerdTask;
  readonly #n: number;
  readonly #next: () => number;
  readonly #onConfigured: () => void;
  #hash = EMPTY_HASH;
  #isConfigured = false;

  constructor(task: HerdTask, n: number, next: () => number, onConfigured: () => void) {
    this.#task = task;
    this.#n = n;
    this.#next = next;
    this.#onConfigured = onConfigured;
  }

  dial(): void {
    const { certificate, key, port } = this.#task;
    const options = { port, host: '127.0.0.1', servername: 'kong_clustering', cert: certificate, key };
    const socket = connect({ ...options, rejectUnauthorized: false });
    socket.setNoDelay(true).setTimeout(PATIENCE_MS, () => socket.destroy());
    let pings: NodeJS.Timeout | undefined;
    let [head, bytes, wholeAt, isWhole] = ['', 0, Number.POSITIVE_INFINITY, false];
    socket.on('error', () => {});
    socket.once('close', () => {
      clearInterval(pings);
      // Whole seconds, as Kong draws them.
      setTimeout(() => this.dial(), 5000 + 1000 * (this.#next() % 6));
    });
    socket.once('secureConnect', () => socket.write(request(port, this.#n)));
    socket.on('data', (data) => {
      bytes += data.length;
      if (wholeAt === Number.POSITIVE_INFINITY) {
        head += data.toString('latin1', 0, MOST_OF_HEAD);
        wholeAt = endOfFirstFrame(head);
      }
      if (pings === undefined && head.includes(END_OF_101)) {
        socket.setTimeout(0);
        this.#introduce(socket);
        pings = setInterval(() => socket.write(ping(this.#hash)), PING_EVERY_MS);
      }
      if (isWhole || bytes < wholeAt) return;
      isWhole = true;
      this.#hash = this.#task.hash;
      socket.write(ping(this.#hash));
      if (this.#isConfigured || /x-kongfallback-stand-in/i.test(head)) return;
      this.#isConfigured = true;
      this.#onConfigured();
    });
  }

  #introduce(socket: TLSSocket): void {
    const plugins = Array.from({ length: 45 }, (_, i) => ({ name: `plugin-${i}`, version: '3.9.3' }));
    const filler = { filler: 'x'.repeat(10_000) };
    const info = { type: 'basic_info', plugins, process_conf: filler, filters: {}, labels: {} };
    socket.write(masked(0x2, Buffer.from(JSON.stringify(info))));
    socket.write(ping(this.#hash));
  }
}

/** The byte behind the first frame with a payload, counted from the 101. Pongs are empty. */
function endOfFirstFrame(head: string): number {
  let at = head.indexOf(END_OF_101);
  if (at < 0) return Number.POSITIVE_INFINITY;
  at += END_OF_101.length;
  while (head.charCodeAt(at + 1) === 0) at += 2;
  const length = head.length >= at + 10 ? Buffer.from(head.slice(at, at + 10), 'latin1') : undefined;
  return length === undefined ? Number.POSITIVE_INFINITY : at + 10 + Number(length.readBigUInt64BE(2));
}

function request(port: number, n: number): string {
  return [
    `GET /v1/outlet?node_id=00000000-0000-4000-8000-${String(n).padStart(12, '0')}&node_hostname=dp&node_version=3.9.3 HTTP/1.1`,
    'Upgrade: websocket',
    `Host: 127.0.0.1:${port}`,
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 13',
    'Connection: Upgrade',
    '\r\n',
  ].join('\r\n');
}

function ping(hash: string): Buffer {
  return masked(0x9, Buffer.from(hash));
}

/** With a mask of zeros, which changes nothing. */
function masked(opcode: number, payload: Buffer): Buffer {
  const head =
    payload.length < 126
      ? Buffer.from([0x80 | opcode, 0x80 | payload.length])
      : Buffer.from([0x80 | opcode, 0x80 | 126, payload.length >> 8, payload.length & 0xff]);
  return Buffer.concat([head, Buffer.alloc(4), payload]);
}
