export { Backoff } from './backoff.ts';
export { Breaker, type BreakerPolicy, type BreakerState, DEFAULT_BREAKER } from './breaker.ts';
export { aborted, type Clock, systemClock } from './clock.ts';
export { deadlineExceeded, withDeadline } from './deadline.ts';
export { Outside, type OutsideOptions } from './outside.ts';
export { NO_RETRY, type Random, type RetryPolicy, withRetry } from './retry.ts';
export { Stopwatch } from './stopwatch.ts';
