import { checkRun } from './check-run.ts';
import type { FuzzTarget } from './fuzz-target.ts';
import { mutate } from './mutate.ts';
import { RandomSource } from './random-source.ts';

export interface FuzzOptions {
  readonly seed: number;
  /** Asked before each input. */
  readonly goOn: (runs: number) => boolean;
  /** Found before; they are mutated too. */
  readonly more?: readonly Buffer[];
}

export interface FuzzFinding {
  readonly bytes: Buffer;
  readonly error: Error;
}

const MOST_FINDINGS = 5;

/** Runs the corpus as it is, then changed, until told to stop or until five inputs were found to break the target. */
export async function fuzz(
  target: FuzzTarget,
  options: FuzzOptions,
): Promise<{ readonly runs: number; readonly findings: readonly FuzzFinding[] }> {
  const random = new RandomSource(options.seed);
  const corpus = [...(await target.corpus()), ...(options.more ?? [])];
  const findings = new Map<string, FuzzFinding>();
  let runs = 0;
  while (options.goOn(runs) && findings.size < MOST_FINDINGS) {
    const bytes =
      corpus[runs] ?? mutate(random.pick(corpus), random.pick(corpus), target.dictionary ?? [], random);
    try {
      await checkRun(target, bytes);
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      // The same line of the same code is the same finding.
      const where = `${error.message.slice(0, 40)}${error.stack?.split('\n').find((line) => /^ +at /.test(line)) ?? ''}`;
      if (!findings.has(where)) findings.set(where, { bytes, error });
    }
    runs++;
  }
  return { runs, findings: [...findings.values()] };
}
