import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Program {
  /** For the table. */
  readonly label: string;
  /** One line of bash; children of the line count too. */
  readonly line: string;
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Cost {
  /** User and system time of the program and its children, as the kernel counts it. */
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
}

const REPORT_MEMORY = fileURLToPath(new URL('./report-memory.mjs', import.meta.url));

/** Runs a program once under bash's `time`, which takes its figures from wait4(2) as time(1) does. */
export async function costOf(program: Program): Promise<Cost> {
  const script = `TIMEFORMAT='%U %S %R'; set -o pipefail; time { ${program.line}; }`;
  const { stderr } = await run(program, ['bash', '-c', script]);
  const [user, system, wall] = (stderr.trimEnd().split('\n').at(-1) ?? '').split(' ').map(Number);
  if (user === undefined || system === undefined || wall === undefined || Number.isNaN(wall)) {
    throw new Error(`${program.label}: no times from bash: ${stderr}`);
  }
  return { cpuSeconds: user + system, wallSeconds: wall };
}

/** Peak resident memory in MB of a program that is one process of Node; not while its CPU is measured. */
export async function peakMemoryMb(program: Program): Promise<number> {
  const env = { ...program.env, NODE_OPTIONS: `--import=${REPORT_MEMORY}` };
  const { stderr } = await run({ ...program, env }, ['bash', '-c', `exec ${program.line}`]);
  const kib = /maxRSS (\d+)/.exec(stderr)?.[1];
  if (kib === undefined) throw new Error(`${program.label}: no memory reported: ${stderr}`);
  return (Number(kib) * 1024) / 1e6;
}

/** As `run`, for what is only prepared and not measured. */
export async function succeed(program: Program): Promise<string> {
  return (await run(program, ['bash', '-c', program.line])).stdout;
}

function run(program: Program, argv: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  const { cwd, env = {}, label } = program;
  const [command = '', ...args] = argv;
  const inherited = { PATH: process.env['PATH'] ?? '', HOME: cwd };
  const child = spawn(command, args, {
    cwd,
    env: { ...inherited, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve({ stdout, stderr });
      else reject(new Error(`${label}: exit code ${code}\n${stdout}\n${stderr}`));
    });
  });
}

/** A path or argument for a line of bash. */
export const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
