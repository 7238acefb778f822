import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { documentNumber } from './exported.ts';
import type { Site } from './site.ts';

const ENTRY = fileURLToPath(new URL('../stand-in/control-plane-process.ts', import.meta.url));
/** One file starts in a tenth of a second, where loading TypeScript takes a whole one. */
const BANNER = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

/** Who asked this control plane for a session. */
export interface AskedBy {
  readonly nodeId: string;
  readonly hostname: string;
  /** SHA-256 of its certificate. */
  readonly fingerprint: string;
}

/** A control plane as a process of its own, to be killed, or stopped in the middle of everything. */
export class RelayControlPlane {
  readonly port: number;
  readonly asked: AskedBy[] = [];
  /** Configurations sent. */
  sent = 0;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  /** Into the site's directory, once. */
  static async compile(site: Site): Promise<void> {
    await build({
      entryPoints: [ENTRY],
      outfile: join(site.directory, 'control-plane.mjs'),
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      conditions: ['kongfallback-source', 'node'],
      banner: { js: BANNER },
      logLevel: 'error',
    });
  }

  static async start(site: Site, n: number, port = 0): Promise<RelayControlPlane> {
    site.write('configuration.json', documentNumber(n));
    const files = { certificate: 'cluster.crt', key: 'cluster.key', document: 'configuration.json' };
    const flags = Object.entries({ ...files, port: String(port) }).flatMap(([name, value]) => [
      `--${name}`,
      value,
    ]);
    const child = spawn(process.execPath, ['control-plane.mjs', '--requests', ...flags], {
      cwd: site.directory,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: child.stdout });
    const [first] = (await once(lines, 'line')) as [string];
    const controlPlane = new RelayControlPlane(child, (JSON.parse(first) as { port: number }).port);
    lines.on('line', (line) => controlPlane.#read(JSON.parse(line) as Record<string, unknown>));
    return controlPlane;
  }

  /** Who of `nodeIds` was here. */
  saw(nodeId: string): AskedBy | undefined {
    return this.asked.find((asked) => asked.nodeId === nodeId);
  }

  stand(): void {
    this.#child.kill('SIGSTOP');
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }

  #read(said: Record<string, unknown>): void {
    if (said['frame'] === 'sent') this.sent++;
    if (typeof said['request'] !== 'string') return;
    const query = new URL(said['request'], 'http://cp').searchParams;
    this.asked.push({
      nodeId: query.get('node_id') ?? '',
      hostname: query.get('node_hostname') ?? '',
      fingerprint: String(said['fingerprint']),
    });
  }
}
