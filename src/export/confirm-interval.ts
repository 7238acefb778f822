import { createTask } from 'node-cron';
import { FallbackError } from '../errors/index.ts';

const RUNS = 10;

/**
 * Longest time between two runs of a schedule, in milliseconds: a confirmation older than that is due.
 *
 * @throws FallbackError `invalid` KF_SCHEDULE_INVALID
 */
export function confirmIntervalMs(schedule: string): number {
  try {
    const runs = createTask(schedule, () => {}, { timezone: 'UTC' }).getNextRuns(RUNS);
    const times = runs.map((run) => run.getTime());
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? time));
    if (gaps.length > 0) return Math.max(...gaps);
  } catch (cause) {
    throw invalid(schedule, cause);
  }
  throw invalid(schedule);
}

const invalid = (schedule: string, cause?: unknown): FallbackError =>
  new FallbackError(
    'invalid',
    'KF_SCHEDULE_INVALID',
    `export.confirmSchedule: ${JSON.stringify(schedule)} never runs`,
    {
      cause,
      hint: 'Give a cron expression in UTC, such as "*/10 * * * *" for every ten minutes.',
    },
  );
