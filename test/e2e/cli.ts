import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** KF_TEST_BIN: another copy, so that a build does not pull it away under a running test. */
const BIN =
  process.env['KF_TEST_BIN'] ?? fileURLToPath(new URL('../../bin/kongfallback.js', import.meta.url));
const BUNDLE = fileURLToPath(new URL('../../dist/cli', import.meta.url));

export interface CliResult {
  /** null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Of `--json`. */
  readonly json: () => Record<string, unknown>;
}

export interface CliOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Flags of node itself, such as a preload. */
  readonly nodeFlags?: readonly string[];
  /** Called with the process as soon as it runs, to send signals. */
  readonly onStart?: (kill: (signal: NodeJS.Signals) => void) => void;
  /** What arrives on standard error, piece by piece. */
  readonly onStderr?: (text: string) => void;
  readonly bin?: string;
  /** Largest file that the process may write, in KiB: a full disk, nearly. */
  readonly fileSizeLimitKib?: number;
}

/** Runs the built command line as a process of its own. */
export function runCli(args: readonly string[], options: CliOptions): Promise<CliResult> {
  const other = process.env['KF_TEST_BIN'] !== undefined;
  if (!other && !existsSync(BUNDLE))
    throw new Error('the command line is not built: run node scripts/build.mjs --cli');
  const { cwd, env = {}, nodeFlags = [], onStart, onStderr, bin = BIN, fileSizeLimitKib } = options;
  const command = [process.execPath, ...nodeFlags, bin, ...args];
  // bash counts in KiB. SIGXFSZ is ignored by node, so that a write beyond the limit fails with EFBIG.
  const limited = ['bash', '-c', 'ulimit -f "$1"; shift; exec "$@"', 'bash', String(fileSizeLimitKib)];
  const [program = '', ...rest] = fileSizeLimitKib === undefined ? command : [...limited, ...command];
  const child = spawn(program, rest, {
    cwd,
    env: { PATH: process.env['PATH'] ?? '', HOME: cwd, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onStart?.((signal) => child.kill(signal));
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    onStderr?.(text);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve({ code, signal, stdout, stderr, json: () => JSON.parse(stdout) as Record<string, unknown> });
    });
  });
}
