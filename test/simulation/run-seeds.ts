import { Worker } from 'node:worker_threads';
import type { Run } from './simulate.ts';
import type { SeedJob } from './worker.ts';

export interface SeedPlan extends Partial<Omit<SeedJob, 'step'>> {
  readonly count: number;
  readonly threads?: number;
}

/** Plays seeds in threads. With `untilViolation` every thread stops at its first one. */
export async function runSeeds(
  code: string,
  plan: SeedPlan,
  onRun: (run: Run) => void = () => {},
): Promise<Run[]> {
  const { count, firstSeed = 1, overrides = {}, theme, threads = 2, untilViolation = false } = plan;
  const failed: Run[] = [];
  const workers: Worker[] = [];
  await Promise.all(
    Array.from({ length: threads }, (_, index) => {
      const share = Math.ceil((count - index) / threads);
      if (share <= 0) return undefined;
      const job: SeedJob = {
        firstSeed: firstSeed + index,
        step: threads,
        count: share,
        theme,
        overrides,
        untilViolation,
      };
      return new Promise<void>((resolve, reject) => {
        const worker = new Worker(code, { eval: true, workerData: job });
        workers.push(worker);
        worker.on('message', (run: Run) => {
          onRun(run);
          if (run.violations.length === 0) return;
          failed.push(run);
          if (untilViolation) for (const other of workers) void other.terminate();
        });
        worker.on('error', reject);
        worker.on('exit', () => resolve());
      });
    }),
  );
  return failed.sort((a, b) => a.seed - b.seed);
}
