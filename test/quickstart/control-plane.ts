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
  readonly port: number;

  private constructor(child: ChildProcess, lines: Interface, port: number) {
    this.#child = child;
    this.#lines = lines;
    this.port = port;
  }

  static async start(files: ControlPlaneFiles, port = 0): Promise<ControlPlaneProcess> {
    const flags = Object.entries({ ...files, port: String(port) }).flatMap(([name, value]) => [
      `--${name}`,
      value,
    ]);
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', '--conditions=kongfallback-source', PROGRAM, ...flags],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    const lines = createInterface({ input: child.stdout });
    const [line] = (await once(lines, 'line')) as [string];
    return new ControlPlaneProcess(child, lines, (JSON.parse(line) as { port: number }).port);
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
