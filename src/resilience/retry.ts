import { classify, type FallbackError } from '../errors/index.ts';
import type { Clock } from './clock.ts';

export interface RetryPolicy {
  /** All tries together; 1 means no retry. */
  readonly attempts: number;
  /** First pause in milliseconds; doubles with each try up to `maxDelayMs`, each with full jitter. */
  readonly delayMs: number;
  readonly maxDelayMs: number;
}

export const NO_RETRY: RetryPolicy = { attempts: 1, delayMs: 0, maxDelayMs: 0 };

/** 0 <= value < 1. Injected, so that a test knows the pauses. */
export type Random = () => number;

/** Repeats what fails with kind `unavailable`, and nothing else; honours `retryAfterMs`. */
export async function withRetry<T>(
  policy: RetryPolicy,
  clock: Clock,
  random: Random,
  signal: AbortSignal,
  what: string,
  work: (attempt: number) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(attempt);
    } catch (thrown) {
      const error = classify(thrown, what);
      if (error.kind !== 'unavailable' || attempt >= policy.attempts || signal.aborted) throw error;
      await clock.sleep(pauseMs(policy, attempt, random, error), signal);
    }
  }
}

function pauseMs(policy: RetryPolicy, attempt: number, random: Random, error: FallbackError): number {
  const ceiling = Math.min(policy.maxDelayMs, policy.delayMs * 2 ** (attempt - 1));
  const asked = Math.min(error.retryAfterMs ?? 0, policy.maxDelayMs);
  return Math.max(asked, ceiling * random());
}
