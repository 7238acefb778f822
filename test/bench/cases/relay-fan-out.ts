import { type ChildProcess, fork } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { type CertificatePair, clusterCertificate } from '../../stand-in/certificates.ts';
import { preparedFrame } from '../../stand-in/data-plane-frame.ts';
import { recordedFrame } from '../../stand-in/frames.ts';
import { spread } from '../comparison.ts';
import type { Result } from '../result.ts';
import { CURRENT_HASH, type ReaderTask, type ServerTask } from './relay-fan-out-tasks.ts';

const FRAME_BYTES = 5_000_000;
const DATA_PLANES = 1000;
/** Whose memory is that of the server itself. */
const FIRST = 100;
const STALLED = 200;
const HERD = 500;
const ENTITIES_OF_HERD = 15_000;
const EMPTY_HASH = '0'.repeat(32);

interface Usage {
  readonly cpuSeconds: number;
  readonly rssMb: number;
  readonly peakMb: number;
  readonly bytes: number;
}

/** What it costs to give a configuration to a fleet, in the server's process alone; the fleet is another one. */
export async function relayFanOut(rounds: number, dataPlanes = DATA_PLANES): Promise<Result[]> {
  const certificate = clusterCertificate();
  const [toRaw, toWs]: [number[], number[]] = [[], []];
  const cpu: Record<ServerTask['kind'], number[]> = { 'stand-in': [], raw: [], ws: [] };
  for (let round = 0; round < rounds; round++) {
    const ours = await fanOut('stand-in', certificate, dataPlanes);
    const raw = await fanOut('raw', certificate, dataPlanes);
    const ws = await fanOut('ws', certificate, dataPlanes);
    cpu['stand-in'].push(ours);
    cpu.raw.push(raw);
    cpu.ws.push(ws);
    toRaw.push(ours / raw);
    toWs.push(ours / ws);
  }
  const ratio = (
    name: string,
    values: number[],
    peer: 'raw' | 'ws',
    target: number,
    against: string,
  ): Result => ({
    name,
    entities: dataPlanes,
    unit: 'x',
    value: spread(values),
    target,
    against,
    cpuSeconds: { ours: spread(cpu['stand-in']), peer: spread(cpu[peer]) },
  });
  const idle = await memoryPerDataPlane(certificate, { base: FIRST, more: dataPlanes, stall: false });
  const stalled = await memoryPerDataPlane(certificate, { base: FIRST, more: STALLED, stall: true });
  const share = await reconnected(certificate, dataPlanes);
  const herds: { ms: number; peakMb: number }[] = [];
  for (let round = 0; round < rounds; round++) herds.push(await herd(certificate));
  return [
    ratio(
      'relay fan-out of 5 MB: data planes',
      toRaw,
      'raw',
      1.05,
      'TLS writes of 256 KiB, CPU of the server',
    ),
    ratio('relay fan-out of 5 MB: data planes', toWs, 'ws', 0.71, 'ws.send(), CPU of the server'),
    figure(
      'relay memory per 1000 idle data planes',
      dataPlanes,
      'MB',
      [idle * 1000],
      80,
      'resident, of the server',
    ),
    figure(
      'relay memory per 1000 stalled data planes',
      STALLED,
      'MB',
      [stalled * 1000],
      350,
      'resident, 5 MB frame',
    ),
    figure('reconnect with the current hash', dataPlanes, 'x', [share], 0.01, 'bytes of sending it to all'),
    figure(
      '500 data planes at once',
      ENTITIES_OF_HERD,
      'ms',
      herds.map(({ ms }) => ms),
      1000,
      'first dial to last byte',
    ),
    figure(
      '500 data planes at once',
      ENTITIES_OF_HERD,
      'MB',
      herds.map(({ peakMb }) => peakMb),
      200,
      'peak of the server',
    ),
  ];
}

/** CPU seconds from the push to the last byte at the last data plane. */
async function fanOut(
  kind: ServerTask['kind'],
  certificate: CertificatePair,
  count: number,
): Promise<number> {
  const server = await Server.start({ kind, ...certificate, payload: FRAME_BYTES });
  const readers = startReaders(server, certificate, { count, hash: CURRENT_HASH, frameBytes: FRAME_BYTES });
  try {
    await server.ask({ connected: count });
    const done = next(readers, 'doneMs');
    server.tell('send');
    await done;
    return (await server.ask<Usage>('usage')).cpuSeconds;
  } finally {
    readers.kill();
    server.stop();
  }
}

/** MB for each of the data planes that are more than `base`: what the first ones load is not theirs alone. */
async function memoryPerDataPlane(
  certificate: CertificatePair,
  { base, more, stall }: { readonly base: number; readonly more: number; readonly stall: boolean },
): Promise<number> {
  const few = await residentWith(certificate, base, stall);
  return ((await residentWith(certificate, base + more, stall)) - few) / more;
}

async function residentWith(certificate: CertificatePair, count: number, stall: boolean): Promise<number> {
  const server = await Server.start({ kind: 'stand-in', ...certificate, payload: FRAME_BYTES });
  const task = { count, hash: CURRENT_HASH, frameBytes: FRAME_BYTES };
  const readers = startReaders(server, certificate, stall ? { ...task, stall } : task);
  try {
    await server.ask({ connected: count });
    if (stall) {
      server.tell('send');
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
    return (await server.ask<{ rssMb: number }>('idle')).rssMb;
  } finally {
    readers.kill();
    server.stop();
  }
}

/** Every byte that left the server, handshakes included, as a share of the frame sent to all. */
async function reconnected(certificate: CertificatePair, count: number): Promise<number> {
  const server = await Server.start({ kind: 'stand-in', ...certificate, payload: FRAME_BYTES });
  const readers = startReaders(server, certificate, { count, hash: CURRENT_HASH, frameBytes: FRAME_BYTES });
  try {
    await server.ask({ connected: count });
    return (await server.ask<Usage>('usage')).bytes / (FRAME_BYTES * count);
  } finally {
    readers.kill();
    server.stop();
  }
}

async function herd(certificate: CertificatePair): Promise<{ ms: number; peakMb: number }> {
  const frame = recordedFrame('bulk15k');
  const server = await Server.start({ kind: 'stand-in', ...certificate, payload: frame.toString('base64') });
  const frameBytes = preparedFrame(frame).length;
  const readers = startReaders(server, certificate, { count: HERD, hash: EMPTY_HASH, frameBytes });
  try {
    const { doneMs } = await next<{ doneMs: number }>(readers, 'doneMs');
    return { ms: doneMs, peakMb: (await server.ask<Usage>('usage')).peakMb };
  } finally {
    readers.kill();
    server.stop();
  }
}

class Server {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(task: ServerTask): Promise<Server> {
    const child = fork(bundledServer(), { execArgv: ['--expose-gc'] });
    child.send(task);
    return new Server(child, (await next<{ port: number }>(child, 'port')).port);
  }

  tell(what: string): void {
    this.#child.send(what);
  }

  ask<T>(what: string | object): Promise<T> {
    const answer = next<T>(this.#child);
    this.#child.send(what);
    return answer;
  }

  stop(): void {
    this.#child.kill();
  }
}

function startReaders(
  server: Server,
  { certificate, key }: CertificatePair,
  task: Omit<ReaderTask, 'port' | 'certificate' | 'key'>,
): ChildProcess {
  const child = fork(fileURLToPath(new URL('relay-fan-out-readers.ts', import.meta.url)));
  child.send({ ...task, port: server.port, certificate, key } satisfies ReaderTask);
  return child;
}

/** As the command line is built: what compiles TypeScript on the way would be most of the memory that is measured. */
function bundledServer(): string {
  const outfile = join(tmpdir(), `kongfallback-fan-out-${process.pid}.cjs`);
  if (!existsSync(outfile)) {
    buildSync({
      entryPoints: [fileURLToPath(new URL('relay-fan-out-server.ts', import.meta.url))],
      bundle: true,
      platform: 'node',
      format: 'cjs',
      conditions: ['kongfallback-source'],
      logLevel: 'error',
      outfile,
    });
    process.once('exit', () => rmSync(outfile, { force: true }));
  }
  return outfile;
}

/** The next message, or the next one with this member. */
function next<T>(child: ChildProcess, member?: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null) => reject(new Error(`a process of the benchmark ended: ${code}`));
    child.once('exit', onExit);
    const onMessage = (message: unknown) => {
      if (member !== undefined && !(typeof message === 'object' && message !== null && member in message))
        return;
      child.off('message', onMessage).off('exit', onExit);
      resolve(message as T);
    };
    child.on('message', onMessage);
  });
}

function figure(
  name: string,
  entities: number,
  unit: Result['unit'],
  values: readonly number[],
  target: number,
  against: string,
): Result {
  return { name, entities, unit, value: spread(values), target, against, cpuSeconds: null };
}
