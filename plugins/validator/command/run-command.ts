import { type ChildProcess, spawn } from 'node:child_process';
import type { Clock } from 'kongfallback/plugin';

export interface CommandRun {
  readonly command: readonly string[];
  readonly cwd: string;
  /** A file descriptor to read from, or nothing. */
  readonly stdin: number | 'ignore';
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Told the process group as soon as there is one. */
  readonly onStart: (group: number) => void;
}

export type Ending = { readonly output: string } & (
  | { readonly how: 'exited'; readonly code: number | null; readonly signal: NodeJS.Signals | null }
  | { readonly how: 'timed-out' }
  | { readonly how: 'not-started'; readonly reason: string }
);

/** What is kept of both outputs: their end, which says what is wrong. */
const MOST_OUTPUT_BYTES = 4000;
/** How long to wait for what is still on its way. */
const OUTPUT_MS = 500;

/** Runs a program to its end, which comes with the deadline or the signal at the latest. Never throws. */
export async function runCommand(run: CommandRun): Promise<Ending> {
  const { clock, cwd, onStart, signal, stdin, timeoutMs } = run;
  const [program = '', ...rest] = run.command;
  // A group of its own, so that what it has started can be ended with it.
  const child = spawn(program, rest, { cwd, stdio: [stdin, 'pipe', 'pipe'], detached: true });
  if (child.pid !== undefined) onStart(child.pid);
  const timer = new AbortController();
  let output = Buffer.alloc(0);
  const streams = [child.stdout, child.stderr].filter((stream) => stream !== null);
  for (const stream of streams) {
    stream.on('data', (piece: Buffer) => {
      output = Buffer.concat([output, piece]).subarray(-MOST_OUTPUT_BYTES);
    });
  }
  const text = () => output.toString('utf8');
  const closed = Promise.all(streams.map((stream) => new Promise<void>((done) => stream.on('close', done))));
  const exited = new Promise<Ending>((resolve) => {
    child.on('error', (error) => resolve({ how: 'not-started', reason: error.message, output: '' }));
    child.on('exit', (code, by) => {
      // A grandchild that holds an output must not keep us waiting for its end.
      void Promise.race([closed, clock.sleep(OUTPUT_MS, timer.signal).catch(() => {})]).then(() =>
        resolve({ how: 'exited', code, signal: by, output: text() }),
      );
    });
  });
  const stop = () => timer.abort();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const late = clock.sleep(timeoutMs, timer.signal).then(
    (): Ending => ({ how: 'timed-out', output: text() }),
    (): Ending | Promise<Ending> => (signal.aborted ? { how: 'timed-out', output: '' } : exited),
  );
  try {
    const ending = await Promise.race([exited, late]);
    // Also what a program that has ended left running: it may hold the document.
    if (ending.how !== 'not-started') killGroup(child);
    return ending;
  } finally {
    stop();
    signal.removeEventListener('abort', stop);
    for (const stream of streams) stream.destroy();
  }
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left in it.
  }
}
