import { once } from 'node:events';
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { READER, S3Double, type S3DoubleOptions, WRITER } from '../s3/double.ts';
import { type StandInOptions, startStandInControlPlane } from '../stand-in/control-plane.ts';
import { encodeFrame, recordedDocument } from '../stand-in/frames.ts';
import { type Ran, run } from '../unit/commands/command-run.ts';
import { Site } from './site.ts';

export type Role = 'exporter' | 'node' | 'relay';

// biome-ignore lint/suspicious/noExplicitAny: a tree that each test bends in its own way
export type Tree = Record<string, any>;

/** Something that is well, or was until a test bent it. */
export interface SetUp {
  readonly site: Site;
  /** As written to the settings file after the test's change. */
  readonly settings: Tree;
  readonly env: Record<string, string>;
  readonly flags: string[];
  /** Closed at the end, in reverse. */
  readonly opened: (() => unknown)[];
}

/** A way to break one, and how it shows. */
export interface BrokenSetUp {
  readonly what: string;
  readonly role: Role;
  readonly breaking: (setUp: SetUp, world: World) => unknown;
  readonly code: string;
  readonly exit: 21 | 22;
}

/** A configuration that a real control plane sent, exported to a bucket, by an exporter that is now at rest. */
export class World {
  readonly site = new Site();
  readonly #frame = encodeFrame(recordedDocument('mixed'));
  #double: S3Double | undefined;
  #address = '';
  #close: () => Promise<void> = async () => {};

  async start(): Promise<this> {
    const controlPlane = await this.controlPlane({});
    this.#address = `127.0.0.1:${controlPlane.port}`;
    this.#double = await new S3Double().start();
    this.#close = async () => {
      await controlPlane.close();
      await this.double.close();
      this.site.remove();
    };
    const exporter = this.setUp('exporter');
    const { code, stderr } = await this.run(exporter, ['export', '--once']);
    await remove(exporter);
    if (code !== 0) throw new Error(stderr);
    return this;
  }

  get double(): S3Double {
    if (this.#double === undefined) throw new Error('not started');
    return this.#double;
  }

  /** A healthy one, its folder a copy. */
  setUp(role: Role): SetUp {
    const site = this.site.copy();
    const { accessKeyId, secretAccessKey } = role === 'exporter' ? WRITER : READER;
    mkdirSync(join(site.directory, 'kong'), { recursive: true });
    // The private key of the heads is the exporter's alone.
    if (role !== 'exporter') rmSync(join(site.directory, 'head.key'));
    const settings: Tree = {
      cluster: 'e2e',
      controlPlane: { address: this.#address, certificate: 'cluster.crt', key: 'cluster.key' },
      gatewayVersions: ['3.9.3'],
      storages: [
        {
          use: 's3',
          bucket: this.double.bucket,
          endpoint: this.double.endpoint,
          accessKeyId,
          secretAccessKey,
        },
      ],
      encryption: { use: 'aes-gcm', keys: [`\${file:encryption.key}`] },
      signing: { publicKeys: [`\${file:head.pub}`], privateKey: `\${file:head.key}` },
      bootstrap: {
        cacheDirectory: 'cache',
        probeSeconds: 1,
        kongPrefix: 'kong',
        target: { use: 'file', path: 'node/kong.json' },
      },
      relay: { listen: '127.0.0.1:0', cacheDirectory: 'relay-cache', maxConnections: 100 },
      service: { listen: '127.0.0.1:0' },
    };
    return { site, settings, env: {}, flags: [], opened: [] };
  }

  async controlPlane(options: Partial<StandInOptions>) {
    return startStandInControlPlane({ certificate: this.site.certificate, frames: this.#frame, ...options });
  }

  /** Another bucket with the same objects in it. */
  async copyOfBucket(options: S3DoubleOptions): Promise<S3Double> {
    const double = await new S3Double(options).start();
    for (const [key, held] of this.double.objects) double.objects.set(key, held);
    return double;
  }

  run({ env, flags, settings, site }: SetUp, argv: readonly string[]): Promise<Ran> {
    site.write('.kongfallbackrc', JSON.stringify(settings, null, 2));
    return run([...argv, ...flags], site.directory, env);
  }

  async doctor(setUp: SetUp, role: Role): Promise<Ran> {
    return this.run(setUp, ['doctor', '--role', role, '--json']);
  }

  close(): Promise<void> {
    return this.#close();
  }
}

export async function remove({ opened, site }: SetUp): Promise<void> {
  for (const close of opened.reverse()) await close();
  chmodSync(site.directory, 0o700);
  site.remove();
}

/** `host:port` that something else has. */
export async function occupied(setUp: SetUp): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  setUp.opened.push(() => server.close());
  return `127.0.0.1:${(server.address() as { port: number }).port}`;
}
