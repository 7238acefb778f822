import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { spread } from '../comparison.ts';
import type { Result } from '../result.ts';

const PROXY = fileURLToPath(new URL('./relay-tunnel-proxy.ts', import.meta.url));
const CONNECTIONS = 4;
const BYTES = 256 * 1024 * 1024;
/** At least 0.9 of the throughput. */
const TARGET = 1.11;
/** The header of a TLS record of 16 KiB of application data. */
const RECORD = Buffer.concat([Buffer.from([23, 3, 3, 0x40, 0]), Buffer.alloc(0x4000)]);

/** Bytes from a control plane through a tunnel, against `pipe` both ways between two sockets of node:net. */
export async function relayTunnel(rounds: number): Promise<Result[]> {
  const source = await startSource();
  const { port } = source.address() as { port: number };
  const [ours, peer] = [new ProxyProcess('tunnel', port), new ProxyProcess('pipe', port)];
  try {
    const pairs: { ours: Cost; peer: Cost }[] = [];
    for (let round = 0; round <= rounds; round++) {
      const pair = { ours: await ours.cost(), peer: await peer.cost() };
      if (round > 0) pairs.push(pair);
    }
    const gigabytes = (CONNECTIONS * BYTES) / 1e9;
    const ratio = (of: (cost: Cost) => number) => spread(pairs.map((pair) => of(pair.ours) / of(pair.peer)));
    const shared = { entities: 0, unit: 'x', target: TARGET } as const;
    return [
      {
        ...shared,
        name: 'relay passes bytes through, time',
        value: ratio(({ wallSeconds }) => wallSeconds),
        against: `a bare node:net proxy, ${gigabytes.toFixed(1)} GB over ${CONNECTIONS} connections`,
        cpuSeconds: null,
      },
      {
        ...shared,
        name: 'relay passes bytes through, CPU',
        value: ratio(({ cpuSeconds }) => cpuSeconds),
        against: 'the same',
        cpuSeconds: {
          ours: spread(pairs.map((pair) => pair.ours.cpuSeconds)),
          peer: spread(pairs.map((pair) => pair.peer.cpuSeconds)),
        },
      },
    ];
  } finally {
    ours.end();
    peer.end();
    source.close();
  }
}

interface Cost {
  readonly wallSeconds: number;
  /** Of the proxy alone. */
  readonly cpuSeconds: number;
}

/** Answers the first bytes of each connection with as many as are wanted. */
async function startSource(): Promise<Server> {
  const piece = Buffer.concat(Array.from({ length: 16 }, () => RECORD));
  const server = createServer((socket) => {
    socket
      .on('error', () => {})
      .once('data', () => {
        let left = BYTES;
        const write = () => {
          while (left > 0) {
            const part = piece.subarray(0, Math.min(left, piece.length));
            left -= part.length;
            if (!socket.write(part)) return void socket.once('drain', write);
          }
          socket.end();
        };
        write();
      });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

class ProxyProcess {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  #port: Promise<number> | undefined;

  constructor(kind: 'tunnel' | 'pipe', to: number) {
    const tsx = ['--import', 'tsx', '--conditions=kongfallback-source'];
    const child = spawn(process.execPath, [...tsx, PROXY, kind, String(to)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  async cost(): Promise<Cost> {
    this.#port ??= this.#line();
    const port = await this.#port;
    const [cpuBefore, startedAt] = [await this.#cpu(), performance.now()];
    await Promise.all(Array.from({ length: CONNECTIONS }, () => receive(port)));
    const wallSeconds = (performance.now() - startedAt) / 1000;
    return { wallSeconds, cpuSeconds: ((await this.#cpu()) - cpuBefore) / 1e6 };
  }

  end(): void {
    this.#child.kill();
  }

  #cpu(): Promise<number> {
    this.#child.stdin?.write('\n');
    return this.#line();
  }

  async #line(): Promise<number> {
    const { value } = await this.#lines.next();
    return Number(value);
  }
}

async function receive(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  let received = 0;
  socket.on('data', (chunk) => {
    received += chunk.length;
  });
  socket.write(RECORD);
  await once(socket, 'close');
  if (received !== BYTES) throw new Error(`${received} of ${BYTES} bytes came through`);
}
