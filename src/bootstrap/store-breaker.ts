import { type BreakerPolicy, DEFAULT_BREAKER } from '../resilience/index.ts';

/**
 * A node that waits for its first configuration has nothing to lose by asking: with the usual 10 s until the next try, a
 * store that fails 30 % of its requests kept one node in a thousand without a configuration for a minute
 * (test/fault/bootstrap-storm.test.ts). The pauses between attempts spare the store; this spares the attempt's tries.
 */
export const STORE_BREAKER: BreakerPolicy = { ...DEFAULT_BREAKER, resetTimeoutMs: 2000 };
