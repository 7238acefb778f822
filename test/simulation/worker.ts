// Runs seeds in a worker thread and tells of each.
import { parentPort, workerData } from 'node:worker_threads';
import type { Scenario, Theme } from './scenario.ts';
import { simulate } from './simulate.ts';

export interface SeedJob {
  readonly firstSeed: number;
  readonly step: number;
  readonly count: number;
  /** Default: by turns. */
  readonly theme?: Theme | undefined;
  readonly overrides: Partial<Scenario>;
  /** A mutant is caught by one. */
  readonly untilViolation: boolean;
}

// Errors are events here, by the thousand; nobody reads where they were made.
Error.stackTraceLimit = 0;

async function play(job: SeedJob): Promise<void> {
  for (let done = 0, seed = job.firstSeed; done < job.count; done++, seed += job.step) {
    const run = await simulate(seed, job.theme, job.overrides);
    const failed = run.violations.length > 0;
    parentPort?.postMessage({ ...run, history: failed ? run.history : [] });
    if (failed && job.untilViolation) return;
  }
}

void play(workerData as SeedJob);
