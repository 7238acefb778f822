import { systemClock } from '../../src/resilience/index.ts';

const EVERY_MS = 250;

/**
 * Asks again until something holds: a gateway in another process has no event to wait for.
 *
 * @param holds undefined or true when it does; else what is there instead
 * @param log shown when it does not come to hold
 * @throws Error that names what was waited for, what was there at last, and the end of the log
 */
export async function until(
  what: string,
  holds: () => Promise<true | string>,
  { ms, log }: { readonly ms: number; readonly log: () => string },
): Promise<void> {
  const started = systemClock.monotonic();
  for (;;) {
    const instead = await holds().catch((error: Error) => String(error.cause ?? error.message));
    if (instead === true) return;
    if (systemClock.monotonic() - started > ms)
      throw new Error(`not within ${ms} ms: ${what}; there is ${instead}\n${log()}`);
    await systemClock.sleep(EVERY_MS, new AbortController().signal);
  }
}

/**
 * @throws Error that names what did not come in time, with the end of the log
 */
export async function inTime<T>(
  what: string,
  work: Promise<T>,
  { ms, log }: { readonly ms: number; readonly log: () => string },
): Promise<T> {
  const done = new AbortController();
  const late = systemClock.sleep(ms, done.signal).then(() => {
    throw new Error(`not within ${ms} ms: ${what}\n${log()}`);
  });
  late.catch(() => {});
  return Promise.race([work, late]).finally(() => done.abort());
}
