import { type ChildProcess, spawn } from 'node:child_process';
import type { Clock } from 'kongfallback/plugin';
import { shownOutput } from './shown-output.ts';

export interface CommandRun {
  readonly command: readonly string[];
  readonly cwd: string;
  /** A file descriptor to read from, or nothing. */
  readonly stdin: number | 'ignore';
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export type Ending = { readonly stderr: string } & (
  | { readonly how: 'exited'; readonly code: number | null; readonly signal: NodeJS.Signals | null }
  | { readonly how: 'timed-out'; readonly afterMs: number }
  | { readonly how: 'not-started'; readonly reason: string }
);

/** What is shown of standard error: its end, which says what went wrong. */
const MOST_STDERR_BYTES = 2000;
/** How long to wait for what is still on its way there. */
const STDERR_MS = 500;

/** Runs a command to its end, which comes with the deadline or the signal at the latest. Never throws. */
export async function runCommand(run: CommandRun): Promise<Ending> {
  const { clock, cwd, signal, stdin, timeoutMs } = run;
  const [program = '', ...rest] = run.command;
  // A group of its own, so that what it has started can be ended with it.
  const child = spawn(program, rest, { cwd, stdio: [stdin, 'ignore', 'pipe'], detached: true });
  const timer = new AbortController();
  let stderr = Buffer.alloc(0);
  child.stderr?.on('data', (piece: Buffer) => {
    stderr = Buffer.concat([stderr, piece]).subarray(-MOST_STDERR_BYTES);
  });
  const text = () => shownOutput(stderr.toString('utf8'));
  const ended = new Promise<void>((resolve) => child.stderr?.on('close', resolve));
  const exited = new Promise<Ending>((resolve) => {
    child.on('error', (error) => resolve({ how: 'not-started', reason: error.message, stderr: '' }));
    child.on('exit', (code, by) => {
      // A grandchild that holds standard error must not keep us waiting for its end.
      Promise.race([ended, clock.sleep(STDERR_MS, timer.signal).catch(() => {})]).then(() =>
        resolve({ how: 'exited', code, signal: by, stderr: text() }),
      );
    });
  });
  const stop = () => timer.abort();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const late = clock.sleep(timeoutMs, timer.signal).then(
    (): Ending => ({ how: 'timed-out', afterMs: timeoutMs, stderr: text() }),
    (): Ending | Promise<Ending> => (signal.aborted ? { how: 'timed-out', afterMs: 0, stderr: '' } : exited),
  );
  try {
    const ending = await Promise.race([exited, late]);
    if (ending.how === 'timed-out') killGroup(child);
    return ending;
  } finally {
    stop();
    signal.removeEventListener('abort', stop);
    child.stderr?.destroy();
  }
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended in this very moment.
  }
}
