import { performance } from 'node:perf_hooks';
import { FallbackError } from '../errors/index.ts';
import type { Clock } from '../plugin/plugin.ts';

export type { Clock } from '../plugin/plugin.ts';

/** The only place that reads the machine's clock or sets a timer. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      const stop = () => {
        clearTimeout(timer);
        reject(aborted(signal));
      };
      if (signal?.aborted) {
        reject(aborted(signal));
        return;
      }
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', stop);
        resolve();
      }, ms);
      signal?.addEventListener('abort', stop, { once: true });
    }),
};

/** The error of a call that its caller ended; a reason that is a classified error is kept. */
export function aborted(signal: AbortSignal | undefined): FallbackError {
  if (signal?.reason instanceof FallbackError) return signal.reason;
  return new FallbackError('aborted', 'KF_ABORTED', 'stopped before it was done', { cause: signal?.reason });
}
