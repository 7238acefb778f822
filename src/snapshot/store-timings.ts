import type { RetryPolicy } from '../resilience/index.ts';

/** How long a store may take; all in milliseconds. */
export interface StoreTimings {
  /** Until a request is answered; a read of one bounded object with its whole body. */
  readonly requestMs: number;
  /** Without a single byte while a body is being read. */
  readonly idleMs: number;
  /** A streamed body or a listing from beginning to end. */
  readonly streamMs: number;
  /** Added to `requestMs` of a put for each MiB of its body: 1 s is a line of 8 Mbit/s. */
  readonly putMsPerMiB: number;
  /** For get, list and delete. Conditional puts get one attempt (object-stores.md, "Client facts"). */
  readonly retry: RetryPolicy;
}

export const DEFAULT_STORE_TIMINGS: StoreTimings = {
  requestMs: 15_000,
  idleMs: 10_000,
  streamMs: 600_000,
  putMsPerMiB: 1_000,
  retry: { attempts: 3, delayMs: 200, maxDelayMs: 2_000 },
};
