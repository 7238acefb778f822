import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../stand-in/control-plane-process.ts', import.meta.url));

export interface ControlPlaneFiles {
  readonly certificate: string;
  readonly key: string;
  /** A configuration document as JSON. */
  readonly document: string;
}

/** The stand-in control plane as a process of its own, so that it can be killed like one. */
export class ControlPlaneProcess {
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  readonly #asked: URLSearchParams[] = [];
  readonly port: number;

  private constructor(child: ChildProcess, lines: Interface, port: number) {
    this.#child = child;
    this.#lines = lines;
    this.port = port;
    lines.on('line', (line) => {
      const { request } = JSON.parse(line) as { request?: string };
      if (request !== undefined) this.#asked.push(new URL(request, 'http://control-plane').searchParams);
    });
  }

  static async start(files: ControlPlaneFiles, port = 0): Promise<ControlPlaneProcess> {
    const flags = Object.entries({ ...files, port: String(port) }).flatMap(([name, value]) => [
      `--${name}`,
      value,
    ]);
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', '--conditions=kongfallback-source', PROGRAM, '--requests', ...flags],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    const lines = createInterface({ input: child.stdout });
    const [line] = (await Promise.race([once(lines, 'line'), once(child, 'exit').then(ended)])) as [string];
    return new ControlPlaneProcess(child, lines, (JSON.parse(line) as { port: number }).port);
  }

  /** Whether a data plane of this node id asked this process for a session. */
  saw(nodeId: string): boolean {
    return this.#asked.some((query) => query.get('node_id') === nodeId);
  }

  /** As an Admin API call would. */
  change(document: string): void {
    this.#child.stdin?.write(`${JSON.stringify({ document })}\n`);
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
    this.#lines.close();
  }
}

function ended([code]: unknown[]): never {
  throw new Error(`the control plane did not start; it ended with ${code}`);
}
