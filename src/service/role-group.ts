import { setMaxListeners } from 'node:events';
import { classify, FallbackError } from '../errors/index.ts';
import type { Logger } from '../plugin/plugin.ts';
import { type Clock, withDeadline } from '../resilience/index.ts';

export interface GroupedRole {
  readonly name: string;
  readonly log: Logger;
  /** Until the signal fires, and then to its end. */
  readonly run: (signal: AbortSignal) => Promise<void>;
  readonly close: () => Promise<void>;
  /** From the signal to the end of `run`; past that it is given up. Milliseconds. */
  readonly stopMs: number;
}

/**
 * Runs several roles until the signal fires, or the first of them ends. Then all are told to stop at once, each within
 * its deadline, and closed in the reverse order; the failure of one keeps no other from being closed.
 *
 * @throws what the first one that ended by itself threw
 */
export async function runTogether(
  roles: readonly GroupedRole[],
  { until, clock }: { readonly until: AbortSignal; readonly clock: Clock },
): Promise<void> {
  const died = new AbortController();
  const stop = AbortSignal.any([until, died.signal]);
  // Every call and pause of every role listens to it.
  setMaxListeners(0, stop);
  let failure: unknown;
  const running = roles.map(async (role) => {
    try {
      await stopped(role, role.run(stop), stop, clock);
      if (!stop.aborted) throw endedByItself(role.name);
    } catch (thrown) {
      // What fails while all are being stopped changes nothing any more.
      if (stop.aborted) report(role, 'stop', thrown);
      else failure = thrown;
      died.abort();
    }
  });
  await Promise.all(running);
  for (const role of [...roles].reverse())
    await role.close().catch((thrown) => report(role, 'close', thrown));
  if (failure !== undefined) throw failure;
}

/** `run` to its end; from the signal on for `stopMs` at most. */
async function stopped(
  { name, stopMs }: GroupedRole,
  run: Promise<void>,
  stop: AbortSignal,
  clock: Clock,
): Promise<void> {
  const told = new Promise<void>((resolve) => {
    stop.addEventListener('abort', () => resolve(), { once: true });
    if (stop.aborted) resolve();
  });
  await Promise.race([run, told]);
  if (!stop.aborted) return;
  await withDeadline(clock, stopMs, new AbortController().signal, `stop the ${name}`, () => run);
}

function report({ name, log }: GroupedRole, what: string, thrown: unknown): void {
  const { code, message } = classify(thrown, `${what} the ${name}`);
  log.warn({ event: 'shutdown.part-failed', part: name, code }, message);
}

const endedByItself = (name: string): FallbackError =>
  new FallbackError('unavailable', 'KF_ROLE_ENDED', `the ${name} ended by itself`, {
    hint: 'Its last lines in the log say why. The process ends, so that whoever supervises it starts it again.',
  });
