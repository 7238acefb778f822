import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand, runWell, tail } from './command.ts';
import type { KongInstallation } from './environment.ts';
import { until } from './until.ts';

const START_MS = 60_000;
const STOP_MS = 30_000;

/** One Kong with a prefix of its own; it runs in the background, as `kong start` leaves it. */
export class KongNode {
  readonly prefix: string;
  readonly env: Readonly<Record<string, string>>;
  readonly startCommand: readonly string[];
  readonly #bin: string;

  constructor(installation: KongInstallation, prefix: string, settings: Readonly<Record<string, string>>) {
    this.prefix = prefix;
    this.#bin = installation.bin;
    this.startCommand = [installation.bin, 'start', '-p', prefix];
    mkdirSync(prefix, { recursive: true });
    this.env = {
      ...installation.base,
      KONG_PREFIX: prefix,
      KONG_ANONYMOUS_REPORTS: 'off',
      KONG_LOG_LEVEL: 'notice',
      KONG_ADMIN_GUI_LISTEN: 'off',
      // As root nginx would change to the user kong, who may not exist or not read the test's files.
      ...(process.getuid?.() === 0 && { KONG_NGINX_MAIN_USER: 'root root' }),
      ...settings,
    };
  }

  async start(): Promise<void> {
    await runWell(this.startCommand, { env: this.env, ms: START_MS }).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.log()}`);
    });
  }

  /** As one that is shut down in order. */
  async stop(): Promise<void> {
    await runWell([this.#bin, 'stop', '-p', this.prefix], { env: this.env, ms: STOP_MS });
    await this.#gone();
  }

  /** As a machine that loses its power; nothing when it does not run. */
  async kill(): Promise<void> {
    const pid = this.#pid();
    if (pid === undefined) return;
    // nginx as a daemon leads a session: the master's workers are in its process group.
    for (const target of [-pid, pid]) signal(target, 'SIGKILL');
    await this.#gone();
  }

  /** The end of its error log. */
  log(): string {
    const path = join(this.prefix, 'logs/error.log');
    return existsSync(path)
      ? `the end of ${path}:\n${tail(readFileSync(path, 'utf8'))}`
      : `there is no ${path}`;
  }

  #pid(): number | undefined {
    const path = join(this.prefix, 'pids/nginx.pid');
    const pid = existsSync(path) ? Number(readFileSync(path, 'utf8').trim()) : Number.NaN;
    return Number.isInteger(pid) && pid > 1 && signal(pid, 0) && !isZombie(pid) ? pid : undefined;
  }

  #gone(): Promise<void> {
    const log = () => this.log();
    return until(
      `the Kong of ${this.prefix} ends`,
      async () => this.#pid() === undefined || 'its master process',
      {
        ms: STOP_MS,
        log,
      },
    );
  }
}

/** True when there was somebody to get it. */
function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}

/** In a container whose first process reaps nobody, who was killed stays in the table. */
function isZombie(pid: number): boolean {
  const path = `/proc/${pid}/stat`;
  return existsSync(path) && /^\d+ \(.*\) Z /s.test(readFileSync(path, 'utf8'));
}

/** Of a Kong, as it says itself: 3.9.3, or 3.12.0.0 of Kong Enterprise. */
export async function kongVersion({ bin, base }: KongInstallation): Promise<string> {
  const { output } = await runCommand([bin, 'version'], { env: base, ms: START_MS });
  const version = /\d+\.\d+\.\d+(\.\d+)?/.exec(output)?.[0];
  if (version?.startsWith('3.') !== true)
    throw new Error(`${bin} is no Kong 3.x; kong version said:\n${tail(output)}`);
  return version;
}
