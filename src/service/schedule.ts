import { createTask } from 'node-cron';
import { classify } from '../errors/index.ts';
import type { Logger } from '../plugin/plugin.ts';

export interface ScheduleOptions {
  /** Cron expression in UTC, already checked. */
  readonly expression: string;
  /** For the log. */
  readonly name: string;
  /** Spread over so many milliseconds at random, so that a fleet does not act in the same second. */
  readonly jitterMs: number;
  readonly log: Logger;
}

/** A task on a cron schedule. A run that is still going on is not overlapped; its failure is logged. */
export class Schedule {
  readonly #task: ReturnType<typeof createTask>;
  #running: Promise<void> = Promise.resolve();

  constructor({ expression, name, jitterMs, log }: ScheduleOptions, run: () => Promise<void> | void) {
    const report = (thrown: unknown) => {
      const { code, message } = classify(thrown, name);
      log.error({ event: 'schedule.failed', schedule: name, code }, message);
    };
    this.#task = createTask(
      expression,
      () => {
        this.#running = Promise.resolve().then(run).catch(report);
        return this.#running;
      },
      {
        name,
        timezone: 'UTC',
        noOverlap: true,
        maxRandomDelay: jitterMs,
        // The service's own work keeps the process alive, never its clock.
        unref: true,
        suppressMissedWarning: true,
        logger: {
          info: () => {},
          debug: () => {},
          warn: (message: string) => log.debug({ schedule: name }, message),
          error: (message: string | Error) => report(message),
        },
      },
    );
    void this.#task.start();
  }

  /** No run begins any more; resolves when the one under way has ended. */
  async stop(): Promise<void> {
    await this.#task.destroy();
    await this.#running;
  }
}
