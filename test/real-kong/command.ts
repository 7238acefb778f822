import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { systemClock } from '../../src/resilience/index.ts';

export interface CommandResult {
  readonly code: number | null;
  /** Both streams. */
  readonly output: string;
}

/** What is said of something that failed ends with so many lines. */
const TAIL_LINES = 40;
/** After the end of a process, for what it said at last. */
const STILL_READ_MS = 1000;

/**
 * Runs a command to its end.
 *
 * @throws Error that names the command and shows what it said, when it takes longer than `ms`
 */
export function runCommand(
  command: readonly string[],
  options: { readonly env: Readonly<Record<string, string>>; readonly ms: number; readonly cwd?: string },
): Promise<CommandResult> {
  const [program = '', ...args] = command;
  // A daemon that it leaves behind keeps what it inherits open: the end of the process counts, not that of its streams.
  const child = spawn(program, args, {
    env: options.env,
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: options.ms,
    killSignal: 'SIGKILL',
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', async (code, signal) => {
      const read = new AbortController();
      await Promise.race([
        once(child, 'close'),
        systemClock.sleep(STILL_READ_MS, read.signal).catch(() => {}),
      ]);
      read.abort();
      for (const stream of [child.stdout, child.stderr]) stream.destroy();
      if (signal === 'SIGKILL')
        reject(new Error(`${command.join(' ')} did not end within ${options.ms} ms\n${tail(output)}`));
      else resolve({ code, output });
    });
  });
}

/** @throws Error with what the command said, unless it ended with 0 */
export async function runWell(...given: Parameters<typeof runCommand>): Promise<string> {
  const { code, output } = await runCommand(...given);
  if (code !== 0) throw new Error(`${given[0].join(' ')} ended with ${code}\n${tail(output)}`);
  return output;
}

export function tail(text: string): string {
  return text.trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
}
