// S3 servers other than versitygw, as child processes on loopback. None is needed: what is not installed is skipped.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import { loadSdk } from '../../plugins/storage/s3/client.ts';

export interface RealServerKind {
  readonly name: string;
  /** Names the binary; without, it is looked for in the PATH as `command`. */
  readonly variable: string;
  readonly command: string;
  readonly install: string;
  readonly args: (port: number, directory: string) => readonly string[];
  readonly env?: (port: number, directory: string) => Readonly<Record<string, string>>;
  readonly credentials?: S3Keys;
  /** Settings of the plugin that this server needs. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

export interface S3Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export const MINISTACK: RealServerKind = {
  name: 'ministack',
  variable: 'MINISTACK_BIN',
  command: 'ministack',
  install: 'python3 -m venv ministack && ministack/bin/pip install ministack==1.5.33',
  args: () => [],
  env: (port, directory) => ({
    GATEWAY_PORT: String(port),
    MINISTACK_HOST: '127.0.0.1',
    BIND_HOST: '127.0.0.1',
    TMPDIR: directory,
    SERVICES: 's3,kms,sts,iam',
  }),
};

export const MOTO: RealServerKind = {
  name: 'moto',
  variable: 'MOTO_BIN',
  command: 'moto_server',
  install: 'python3 -m venv moto && moto/bin/pip install "moto[server]"',
  args: (port) => ['-H', '127.0.0.1', '-p', String(port)],
};

export const GOFAKES3: RealServerKind = {
  name: 'gofakes3',
  variable: 'GOFAKES3_BIN',
  command: 'gofakes3',
  install: 'go install github.com/johannesboyne/gofakes3/cmd/gofakes3@latest',
  args: (port) => ['-host', `127.0.0.1:${port}`, '-backend', 'memory'],
  settings: { checksums: 'when-required' },
};

export const S3RVER: RealServerKind = {
  name: 's3rver',
  variable: 'S3RVER_BIN',
  command: 's3rver',
  install: 'npm install s3rver@3.7',
  args: (port, directory) => ['-d', directory, '-a', '127.0.0.1', '-p', String(port), '-s'],
  credentials: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' },
  settings: { checksums: 'when-required' },
};

/** The binary, or undefined with the reason for skipping said once. */
export function findServer({ command, install, name, variable }: RealServerKind): string | undefined {
  const named = process.env[variable];
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const places =
    named === undefined || named === '' ? folders.map((folder) => join(folder, command)) : [named];
  const found = places.find((path) => existsSync(path));
  if (found === undefined)
    console.log(`SKIPPED: no ${name}. Install it with: ${install}; and set ${variable}`);
  return found;
}

const START_MS = 40_000;

export class RealServer {
  readonly keys: S3Keys;
  readonly endpoint: string;
  readonly #kind: RealServerKind;
  readonly #directory: string;
  readonly #child: ChildProcess;
  #said = '';
  #buckets = 0;

  private constructor(kind: RealServerKind, endpoint: string, directory: string, child: ChildProcess) {
    this.#kind = kind;
    this.endpoint = endpoint;
    this.keys = kind.credentials ?? { accessKeyId: 'test', secretAccessKey: 'test-secret' };
    this.#directory = directory;
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#said = (this.#said + chunk.toString()).slice(-2_000);
      });
    }
  }

  static async start(kind: RealServerKind, binary: string): Promise<RealServer> {
    const directory = await mkdtemp(join(tmpdir(), `kongfallback-${kind.name}-`));
    const port = await freePort();
    const child = spawn(binary, kind.args(port, directory), {
      cwd: directory,
      env: { ...process.env, ...kind.env?.(port, directory) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const server = new RealServer(kind, `http://127.0.0.1:${port}`, directory, child);
    try {
      await server.#ready();
      return server;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  /** A new, empty bucket. */
  async createBucket(): Promise<string> {
    const Bucket = `fallback-${++this.#buckets}`;
    const { CreateBucketCommand } = await loadSdk();
    await this.#ask((client) => client.send(new CreateBucketCommand({ Bucket })));
    return Bucket;
  }

  /** What an object was written with. */
  async attributes(Bucket: string, Key: string) {
    const { GetObjectTaggingCommand, HeadObjectCommand } = await loadSdk();
    return this.#ask(async (client) => ({
      ...(await client.send(new HeadObjectCommand({ Bucket, Key }))),
      tags: (await client.send(new GetObjectTaggingCommand({ Bucket, Key }))).TagSet,
    }));
  }

  async stop(): Promise<void> {
    if (this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGKILL');
      await once(this.#child, 'exit');
    }
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #ask<T>(work: (client: S3Client) => Promise<T>): Promise<T> {
    const sdk = await loadSdk();
    const client = new sdk.S3Client({
      endpoint: this.endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: { ...this.keys },
    });
    return work(client).finally(() => client.destroy());
  }

  async #ready(): Promise<void> {
    for (let waitedMs = 0; waitedMs < START_MS; waitedMs += 50) {
      if (this.#child.exitCode !== null) break;
      const answer = await fetch(this.endpoint).catch(() => undefined);
      if (answer !== undefined) return;
      await sleep(50);
    }
    throw new Error(`${this.#kind.name} did not start: ${this.#said}`);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
