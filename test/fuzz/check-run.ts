import type { FuzzTarget } from './fuzz-target.ts';

/** Far more than any decoder takes for half a megabyte, also beside other work on a small machine. */
const MOST_CPU_MS = 2000;
/** Inputs have 512 KiB at most, and the targets bound what may be inflated to 8 MiB. */
const MOST_GROWTH_KIB = 300 * 1024;

/** Runs one input; throws what is wrong with the decoder: its exception, its time, its memory, what it left behind. */
export async function checkRun(target: FuzzTarget, bytes: Buffer): Promise<void> {
  const [cpu, { maxRSS }] = [process.cpuUsage(), process.resourceUsage()];
  const warned = await warningsDuring(() => target.run(bytes));
  // They go to standard error as they are, with pieces of the input.
  if (warned.length > 0) throw new Error(`a warning of the process: ${warned[0]}`);
  const { user, system } = process.cpuUsage(cpu);
  const tookMs = (user + system) / 1000;
  if (tookMs > MOST_CPU_MS) throw new Error(`it took ${Math.round(tookMs)} ms of CPU`);
  const grown = process.resourceUsage().maxRSS - maxRSS;
  if (grown > MOST_GROWTH_KIB) throw new Error(`memory grew by ${grown} KiB`);
  const inherited = Object.keys(PRISTINE).length + Object.keys(Object.prototype).length;
  if (inherited > 0) throw new Error('Object.prototype was written to');
}

const PRISTINE: object = {};

async function warningsDuring(run: () => void | Promise<void>): Promise<readonly string[]> {
  const warned: string[] = [];
  const { emitWarning } = process;
  process.emitWarning = (warning: string | Error) => void warned.push(String(warning).slice(0, 80));
  try {
    await run();
  } finally {
    process.emitWarning = emitWarning;
  }
  return warned;
}
