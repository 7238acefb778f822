// Runs seeds in a worker thread and tells of each.
import { parentPort, workerData } from 'node:worker_threads';
import type { Scenario } from './scenario.ts';
import { simulate } from './simulate.ts';

export interface SeedJob {
  readonly firstSeed: number;
  readonly step: number;
  readonly count: number;
  readonly overrides: Partial<Scenario>;
  /** A mutant is caught by one. */
  readonly untilViolation: boolean;
}

async function play(job: SeedJob): Promise<void> {
  for (let done = 0, seed = job.firstSeed; done < job.count; done++, seed += job.step) {
    const run = await simulate(seed, job.overrides);
    const failed = run.violations.length > 0;
    parentPort?.postMessage({ ...run, history: failed ? run.history : [] });
    if (failed && job.untilViolation) return;
  }
}

void play(workerData as SeedJob);
