import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { RunningRelay } from '../e2e/running-relay.ts';
import { Site } from '../e2e/site.ts';
import { startStandInControlPlane } from '../stand-in/control-plane.ts';
import { recordedFrame } from '../stand-in/frames.ts';
import type { HerdTask } from './herd-data-planes.ts';
import type { ControlPlaneTask, ControlPlaneUsage } from './model-control-plane.ts';

const RELAY = { listen: '127.0.0.1:0', cacheDirectory: 'relay-cache', drainSeconds: 0 };
const BANNER = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

/** The recorded 15,000 entities in a store, with a relay, a model of the control plane and data planes to dial them. */
export class HerdSite {
  readonly #site: Site;
  readonly #frame = recordedFrame('bulk15k');
  readonly #children: ChildProcess[] = [];
  #relay: RunningRelay | undefined;

  private constructor(site: Site) {
    this.#site = site;
  }

  static async create(): Promise<HerdSite> {
    const site = new Site({ settings: { relay: RELAY } });
    const exported = await startStandInControlPlane({
      certificate: site.certificate,
      frames: recordedFrame('bulk15k'),
    });
    site.pointAt(exported.port);
    const { code, stderr } = await site.run(['export', '--once']);
    await exported.close();
    if (code !== 0) throw new Error(stderr);
    const folder = fileURLToPath(new URL('.', import.meta.url));
    await build({
      entryPoints: [`${folder}model-control-plane.ts`, `${folder}herd-data-planes.ts`],
      outdir: site.directory,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      conditions: ['kongfallback-source', 'node'],
      banner: { js: BANNER },
      logLevel: 'error',
    });
    return new HerdSite(site);
  }

  copy(): HerdSite {
    return new HerdSite(this.#site.copy());
  }

  /** Starts when there is no control plane at this port yet; stands in when it resolves. */
  async startRelay(controlPlanePort: number): Promise<RunningRelay> {
    this.#site.pointAt(controlPlanePort);
    this.#relay = await RunningRelay.start(this.#site);
    await this.#relay.verdict('down');
    return this.#relay;
  }

  /** Resolves when it listens. */
  async startControlPlane(port: number, workers: number, seed: number): Promise<ControlPlane> {
    const { certificate, key } = this.#site.certificate;
    const frame = this.#frame.toString('base64');
    const task: ControlPlaneTask = { certificate, key, frame, port, workers, seed };
    const child = await this.#start('model-control-plane.mjs', task);
    await message(child);
    return new ControlPlane(child);
  }

  async dataPlanes(port: number, count: number, options: Partial<HerdTask> = {}): Promise<DataPlanes> {
    const { certificate, key } = this.#site.certificate;
    const { config_hash: hash } = JSON.parse(gunzipSync(this.#frame).toString()) as { config_hash: string };
    const task: HerdTask = { port, certificate, key, count, seed: 1, hash, spreadMs: 0, ...options };
    return new DataPlanes(await this.#start('herd-data-planes.mjs', task), count);
  }

  async end(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    await this.#relay?.kill();
    this.#site.remove();
  }

  async #start(program: string, task: HerdTask | ControlPlaneTask): Promise<ChildProcess> {
    const child = fork(join(this.#site.directory, program), { execArgv: [] });
    this.#children.push(child);
    await message(child);
    child.send(task);
    return child;
  }
}

export class ControlPlane {
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
  }

  async usage(): Promise<ControlPlaneUsage> {
    this.#child.send('usage');
    return (await message(this.#child)) as ControlPlaneUsage;
  }
}

export class DataPlanes {
  /** When each had its configuration from the control plane, in milliseconds of `sharedNow`. */
  readonly all: Promise<readonly number[]>;

  constructor(child: ChildProcess, count: number) {
    const moments: number[] = [];
    this.all = new Promise((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`the data planes ended: ${code}`)));
      child.on('message', ({ configured }: { configured: number }) => {
        if (moments.push(configured) === count) resolve(moments);
      });
    });
    this.all.catch(() => {});
  }
}

function message(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null) => reject(new Error(`a process of the benchmark ended: ${code}`));
    child.once('exit', onExit);
    child.once('message', (said) => {
      child.off('exit', onExit);
      resolve(said);
    });
  });
}

/** Nobody listens on it. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
