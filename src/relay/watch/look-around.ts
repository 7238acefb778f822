import type { FallbackError } from '../../errors/index.ts';
import { type Address, controlPlaneError } from '../../kong/index.ts';
import type { Clock } from '../../plugin/plugin.ts';
import { aborted } from '../../resilience/index.ts';
import type { Look, LookAlarm, LookAnswer, LookOptions } from './look.ts';

/** What one address said of itself; those that were not asked are not among them. */
export interface AddressAnswer {
  readonly address: Address;
  readonly answer: LookAnswer;
}

export interface AroundAnswer {
  /** Who answered: one without an alarm where there is one. */
  readonly address: Address | undefined;
  readonly alarm: LookAlarm | undefined;
  /** Of the first address that did not answer; there is one whenever `address` is undefined. */
  readonly error: FallbackError;
  readonly answers: readonly AddressAnswer[];
}

/** Before the next address is asked beside one that says nothing. */
const STAGGER_MS = 500;

/**
 * Looks at the addresses in turn until one answers without an alarm. One that hangs is not waited for: the next is
 * asked beside it, so that a black hole in front does not hide who lives behind it.
 *
 * @throws FallbackError the abort, and nothing else
 */
export async function lookAround(
  addresses: readonly Address[],
  look: Look,
  clock: Clock,
  options: LookOptions,
): Promise<AroundAnswer> {
  const done = new AbortController();
  const stop = () => done.abort(aborted(options.signal));
  options.signal.addEventListener('abort', stop, { once: true });
  const staggerMs = Math.min(STAGGER_MS, options.deadlineMs / (addresses.length + 1));
  const startedAt = clock.monotonic();
  const answers: AddressAnswer[] = [];
  const asked: Promise<void>[] = [];
  try {
    let found = false;
    for (const address of addresses) {
      if (options.signal.aborted) throw aborted(options.signal);
      const deadlineMs = Math.max(1, options.deadlineMs - (clock.monotonic() - startedAt));
      const work = look(address, { ...options, deadlineMs, signal: done.signal }).then((answer) => {
        answers.push({ address, answer });
        found ||= answer.answers && answer.alarm === undefined;
      });
      asked.push(work);
      await eitherOf(work, clock, staggerMs);
      if (found) break;
    }
    await firstGood(asked, () => found);
    return summary(answers);
  } finally {
    options.signal.removeEventListener('abort', stop);
    done.abort();
    for (const work of asked) work.catch(() => {});
  }
}

/** Until the work is done or the time is over; throws what the work throws. */
async function eitherOf(work: Promise<void>, clock: Clock, ms: number): Promise<void> {
  const over = new AbortController();
  try {
    await Promise.race([work, clock.sleep(ms, over.signal).catch(() => {})]);
  } finally {
    over.abort();
  }
}

/** Until all are done, or one of them makes the others needless. */
function firstGood(asked: readonly Promise<void>[], found: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    if (found()) resolve();
    for (const work of asked) work.then(() => found() && resolve(), reject);
    Promise.all(asked).then(() => resolve(), reject);
  });
}

function summary(answers: readonly AddressAnswer[]): AroundAnswer {
  const positive = answers.filter(({ answer }) => answer.answers);
  const clean = positive.find(({ answer }) => answer.answers && answer.alarm === undefined);
  const chosen = clean ?? positive[0];
  const failure = answers.find(({ answer }) => !answer.answers)?.answer;
  return {
    address: chosen?.address,
    alarm: chosen?.answer.answers ? chosen.answer.alarm : undefined,
    error:
      failure?.answers === false
        ? failure.error
        : controlPlaneError('KF_CP_UNREACHABLE', 'no control plane address answered'),
    answers: [...answers],
  };
}
