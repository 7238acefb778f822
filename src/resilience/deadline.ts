import { FallbackError } from '../errors/index.ts';
import { aborted, type Clock } from './clock.ts';

/**
 * Runs `work` with a signal that fires after `ms` or with `parent`, and stops waiting at that moment even if
 * `work` ignores its signal. A late result is dropped, a late rejection is swallowed.
 *
 * @param what names the call in the error: "storage s3: put production/3.9.3/head.json"
 * @throws FallbackError `unavailable` KF_DEADLINE_EXCEEDED, or the parent's abort
 */
export async function withDeadline<T>(
  clock: Clock,
  ms: number,
  parent: AbortSignal,
  what: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (parent.aborted) throw aborted(parent);
  const own = new AbortController();
  const timer = new AbortController();
  const onParent = () => own.abort(aborted(parent));
  parent.addEventListener('abort', onParent, { once: true });
  const ended = new Promise<never>((_, reject) => {
    own.signal.addEventListener('abort', () => reject(own.signal.reason), { once: true });
  });
  clock.sleep(ms, timer.signal).then(
    () => own.abort(deadlineExceeded(what, ms)),
    () => {},
  );
  try {
    return await Promise.race([work(own.signal), ended]);
  } finally {
    timer.abort();
    parent.removeEventListener('abort', onParent);
    ended.catch(() => {});
  }
}

export function deadlineExceeded(what: string, ms: number): FallbackError {
  return new FallbackError('unavailable', 'KF_DEADLINE_EXCEEDED', `${what}: no result within ${ms} ms`, {
    hint: 'Check that the address is right and reachable from here; a black hole looks exactly like this.',
  });
}
