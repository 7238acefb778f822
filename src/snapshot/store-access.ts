import type { ObjectStore } from '../plugin/index.ts';
import type { Breaker, Clock, Outside, RetryPolicy } from '../resilience/index.ts';
import { fromPlugin } from './store-answer.ts';
import type { StoreCounts } from './store-counts.ts';
import { checkStoreKey } from './store-key.ts';
import type { StoreTimings } from './store-timings.ts';

export interface StoreAccessParts {
  readonly id: string;
  readonly prefix: string;
  readonly store: ObjectStore;
  readonly outside: Outside;
  readonly breaker?: Breaker;
  readonly clock: Clock;
  readonly timings: StoreTimings;
  readonly counts: StoreCounts;
}

/** What every operation on a storage has in common: whole keys, the name in errors, deadline, retries and breaker. */
export class StoreAccess {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly timings: StoreTimings;
  readonly counts: StoreCounts;
  readonly #parts: StoreAccessParts;

  constructor(parts: StoreAccessParts) {
    this.store = parts.store;
    this.clock = parts.clock;
    this.timings = parts.timings;
    this.counts = parts.counts;
    this.#parts = parts;
  }

  /** The key as the plugin gets it. */
  key(key: string): string {
    return checkStoreKey(this.under(checkStoreKey(key)));
  }

  /** A prefix as the plugin gets it. */
  under(prefix: string): string {
    return this.#parts.prefix === '' ? prefix : `${this.#parts.prefix}/${prefix}`;
  }

  /** For errors. */
  what(operation: string, key: string): string {
    return `storage ${this.#parts.id}: ${operation} ${this.key(key)}`;
  }

  call<T>(
    what: string,
    deadlineMs: number,
    retry: RetryPolicy,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { breaker, outside } = this.#parts;
    return outside.call(what, { signal, deadlineMs, retry, ...(breaker && { breaker }) }, work);
  }

  async ask<T>(what: string, signal: AbortSignal, request: () => Promise<T>): Promise<T> {
    try {
      return await request();
    } catch (thrown) {
      throw fromPlugin(thrown, what, signal);
    }
  }
}
