// A real S3 server for integration tests: versitygw on a directory, as a child process on a loopback port.
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import http, { type IncomingMessage } from 'node:http';
import https, { Agent } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { S3Client } from '@aws-sdk/client-s3';
import { loadSdk } from '../../plugins/storage/s3/client.ts';
import type { CertificatePair } from '../stand-in/certificates.ts';

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const ROOT: S3Credentials = { accessKeyId: 'root', secretAccessKey: 'root-secret-of-the-test' };
const START_MS = 20_000;

/** The binary, or undefined with the reason for skipping said once. */
export function findVersitygw(): string | undefined {
  const found = candidates().find((path) => existsSync(path));
  if (found === undefined) {
    console.log(
      'SKIPPED: no versitygw (a real S3 server). Install it with: ' +
        'go install github.com/versity/versitygw/cmd/versitygw@v1.8.0, or set VERSITYGW_BIN',
    );
  }
  return found;
}

function candidates(): string[] {
  const named = process.env['VERSITYGW_BIN'];
  if (named !== undefined && named !== '') return [named];
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  try {
    folders.unshift(join(execFileSync('go', ['env', 'GOPATH'], { encoding: 'utf8' }).trim(), 'bin'));
  } catch {
    // Without Go it may still be in the PATH.
  }
  return folders.filter((folder) => folder !== '').map((folder) => join(folder, 'versitygw'));
}

export interface VersitygwOptions {
  readonly tls?: CertificatePair & { readonly ca: string };
  /** Buckets in the host name, under this domain, besides in the path. */
  readonly virtualDomain?: string;
}

export class Versitygw {
  readonly root = ROOT;
  readonly endpoint: string;
  readonly #binary: string;
  readonly #directory: string;
  readonly #child: ChildProcess;
  readonly #ca: string | undefined;
  #buckets = 0;

  private constructor(
    binary: string,
    directory: string,
    endpoint: string,
    child: ChildProcess,
    ca: string | undefined,
  ) {
    this.#ca = ca;
    this.#binary = binary;
    this.#directory = directory;
    this.endpoint = endpoint;
    this.#child = child;
  }

  static async start(binary: string, options: VersitygwOptions = {}): Promise<Versitygw> {
    const directory = await mkdtemp(join(tmpdir(), 'kongfallback-s3-'));
    for (const name of ['data', 'iam']) await mkdir(join(directory, name));
    const address = `127.0.0.1:${await freePort()}`;
    const { tls, virtualDomain } = options;
    const global = ['--port', address, '--iam-dir', join(directory, 'iam'), '--health', '/health', '--quiet'];
    if (tls !== undefined) {
      for (const [name, text] of Object.entries({ 'tls.crt': tls.certificate, 'tls.key': tls.key })) {
        await writeFile(join(directory, name), text);
      }
      global.push('--cert', join(directory, 'tls.crt'), '--key', join(directory, 'tls.key'));
    }
    if (virtualDomain !== undefined) global.push('--virtual-domain', virtualDomain);
    // ETags are extended attributes of the files. With `--sidecar` they are files of their own, and a read beside
    // a write can get the new bytes with the former ETag: the contract kit found a lost update.
    const backend = ['posix', join(directory, 'data')];
    const child = spawn(binary, [...global, ...backend], {
      env: {
        ...process.env,
        ROOT_ACCESS_KEY_ID: ROOT.accessKeyId,
        ROOT_SECRET_ACCESS_KEY: ROOT.secretAccessKey,
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const scheme = tls === undefined ? 'http' : 'https';
    const server = new Versitygw(binary, directory, `${scheme}://${address}`, child, tls?.ca);
    try {
      await server.#ready();
      return server;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  /** A new, empty bucket of the root user. */
  async createBucket(): Promise<string> {
    const Bucket = `fallback-${++this.#buckets}`;
    const { CreateBucketCommand } = await loadSdk();
    await this.#asRoot((client) => client.send(new CreateBucketCommand({ Bucket })));
    return Bucket;
  }

  /** A user whose only right is s3:GetObject in that bucket. */
  async createReader(bucket: string): Promise<S3Credentials> {
    const reader = { accessKeyId: `reader-of-${bucket}`, secretAccessKey: 'reader-secret-of-the-test' };
    const user = ['--access', reader.accessKeyId, '--secret', reader.secretAccessKey, '--role', 'user'];
    const admin = ['--access', ROOT.accessKeyId, '--secret', ROOT.secretAccessKey];
    await promisify(execFile)(this.#binary, [
      'admin',
      ...admin,
      '--endpoint-url',
      this.endpoint,
      'create-user',
      ...user,
    ]);
    const statement = {
      Effect: 'Allow',
      Principal: { AWS: [reader.accessKeyId] },
      Action: ['s3:GetObject'],
      Resource: [`arn:aws:s3:::${bucket}/*`],
    };
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
    const { PutBucketPolicyCommand } = await loadSdk();
    await this.#asRoot((client) => client.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy })));
    return reader;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill();
      await once(this.#child, 'exit');
    }
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #asRoot(work: (client: S3Client) => Promise<unknown>): Promise<void> {
    const { S3Client } = await loadSdk();
    const client = new S3Client({
      endpoint: this.endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      // The SDK adds to the object that it is given.
      credentials: { ...ROOT },
      ...(this.#ca !== undefined && { requestHandler: { httpsAgent: new Agent({ ca: this.#ca }) } }),
    });
    await work(client).finally(() => client.destroy());
  }

  async #ready(): Promise<void> {
    let said = '';
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-2_000);
    });
    for (let waitedMs = 0; waitedMs < START_MS; waitedMs += 25) {
      if (this.#child.exitCode !== null) break;
      if (await this.#healthy()) return;
      await sleep(25);
    }
    throw new Error(`versitygw did not start: ${said}`);
  }

  #healthy(): Promise<boolean> {
    const url = `${this.endpoint}/health`;
    return new Promise((resolve) => {
      const heard = (response: IncomingMessage) => {
        response.resume();
        resolve(response.statusCode === 200);
      };
      const request = url.startsWith('https:')
        ? https.get(url, { ca: this.#ca }, heard)
        : http.get(url, heard);
      request.once('error', () => resolve(false));
    });
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
