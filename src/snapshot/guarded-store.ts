import { FallbackError } from '../errors/index.ts';
import type { ByteStream, ObjectInfo, ObjectStore, StorageCapabilities } from '../plugin/index.ts';
import {
  aborted,
  type Breaker,
  type Clock,
  NO_RETRY,
  type Outside,
  type RetryPolicy,
  withDeadline,
} from '../resilience/index.ts';
import { Asked, checkedGet, checkedPut, fromPlugin, misbehaved } from './store-answer.ts';
import { type BoundedBody, boundedBody, collect } from './store-body.ts';
import { StoreCounts } from './store-counts.ts';
import { checkStoreKey, isStoreKey } from './store-key.ts';
import { listed } from './store-list.ts';
import type {
  ObjectFacts,
  PutCondition,
  ReadObject,
  StreamedObject,
  WrittenObject,
} from './store-objects.ts';
import { DEFAULT_STORE_TIMINGS, type StoreTimings } from './store-timings.ts';

export interface GuardedStoreOptions {
  /** The entry's `id`; labels errors, metrics and the breaker. */
  readonly id: string;
  readonly store: ObjectStore;
  /** Put before every key with a `/`; '' for none. */
  readonly prefix: string;
  readonly capabilities: StorageCapabilities;
  /** The operator's word that nobody else writes: conditions may then be kept by reading first. */
  readonly singleWriter?: boolean;
  readonly outside: Outside;
  readonly breaker?: Breaker;
  readonly clock: Clock;
  readonly timings?: Partial<StoreTimings>;
  readonly counts?: StoreCounts;
}

interface Opened {
  readonly facts: ObjectFacts;
  readonly body: ByteStream;
  /** The plugin's signal for this object. */
  readonly cancel: AbortController;
}

/**
 * The core's only way to a storage plugin. Adds prefix, deadlines, retries, breaker and counts, and trusts the
 * plugin with nothing: answers are checked, bodies bounded in size and time, errors classified.
 */
export class GuardedStore {
  readonly id: string;
  readonly prefix: string;
  readonly capabilities: StorageCapabilities;
  readonly counts: StoreCounts;
  readonly #options: GuardedStoreOptions;
  readonly #timings: StoreTimings;

  constructor(options: GuardedStoreOptions) {
    this.id = options.id;
    this.prefix = options.prefix;
    this.capabilities = options.capabilities;
    this.counts = options.counts ?? new StoreCounts();
    this.#options = options;
    this.#timings = { ...DEFAULT_STORE_TIMINGS, ...options.timings };
  }

  /**
   * The same store with other counters and without its breaker, for probes: their requests are not those of the flows,
   * and a policy that knows only the keys of the flows may deny them.
   */
  countedApart(counts: StoreCounts): GuardedStore {
    const { breaker: _, ...options } = this.#options;
    return new GuardedStore({ ...options, counts });
  }

  /** The same store taken as one that keeps no conditions: what the start-up probe found of it. */
  withoutConditions(): GuardedStore {
    return new GuardedStore({
      ...this.#options,
      capabilities: { ...this.capabilities, conditionalPut: false },
      counts: this.counts,
    });
  }

  /**
   * The whole object, or `undefined` when there is none.
   *
   * @throws FallbackError `corrupt` KF_STORE_OBJECT_TOO_LARGE when it has more than `maxBytes`
   */
  async read(
    key: string,
    options: { readonly maxBytes: number; readonly ifNoneMatch?: string; readonly signal: AbortSignal },
  ): Promise<ReadObject | 'not-modified' | undefined> {
    const what = this.#what('get', key);
    return this.#call(what, this.#timings.requestMs, this.#timings.retry, options.signal, async (signal) => {
      const opened = await this.#open(key, what, signal, options.ifNoneMatch);
      if (opened === undefined || opened === 'not-modified') return opened;
      const bytes = await collect(this.#body(opened, what, options.maxBytes, signal).body);
      return { ...opened.facts, bytes };
    });
  }

  /**
   * The object as a stream. Once it has begun it is not retried: the reader starts again.
   *
   * @param options.maxBytes more than that ends the body with `corrupt` KF_STORE_OBJECT_TOO_LARGE
   */
  async stream(
    key: string,
    options: { readonly maxBytes?: number; readonly signal: AbortSignal },
  ): Promise<StreamedObject | undefined> {
    const what = this.#what('get', key);
    const { requestMs, retry } = this.#timings;
    const opened = await this.#call(what, requestMs, retry, options.signal, (signal) =>
      this.#open(key, what, signal),
    );
    if (opened === undefined || opened === 'not-modified') return undefined;
    const maxBytes = options.maxBytes ?? Number.POSITIVE_INFINITY;
    return {
      ...opened.facts,
      ...this.#body(opened, what, maxBytes, options.signal),
    };
  }

  /**
   * One attempt, since a repeated one can lose against itself: after `conflict` or `unavailable` the caller
   * reads back and decides.
   */
  async put(
    key: string,
    body: Uint8Array<ArrayBuffer>,
    options: PutCondition & { readonly signal: AbortSignal },
  ): Promise<WrittenObject> {
    const what = this.#what('put', key);
    this.#checkSize(what, body);
    const condition =
      options.ifMatch === undefined ? { ifAbsent: true as const } : { ifMatch: options.ifMatch };
    const kept = this.capabilities.conditionalPut === true;
    if (!kept) await this.#keepCondition(what, key, condition, options.signal);
    const deadlineMs =
      this.#timings.requestMs + Math.ceil(body.byteLength / 2 ** 20) * this.#timings.putMsPerMiB;
    return this.#call(what, deadlineMs, NO_RETRY, options.signal, async (signal) => {
      this.counts.put++;
      this.counts.bytesUp += body.byteLength;
      const asked = new Asked(this.#options.clock);
      const answer = await this.#ask(what, signal, () =>
        this.#options.store.put(this.#key(key), body, { ...(kept && condition), signal }),
      );
      const { etag, serverTime } = checkedPut(answer, what);
      return { etag, askedMs: asked.ms, ...asked.serverTime({ ...(serverTime && { serverTime }) }) };
    });
  }

  /** Objects under `prefix` (relative to the entry's), without those whose key is none of ours. */
  async *list(prefix: string, options: { readonly signal: AbortSignal }): AsyncGenerator<ObjectInfo> {
    const what = `storage ${this.id}: list ${this.#full(prefix)}`;
    const root = this.#full('');
    const { clock, store } = this.#options;
    const { requestMs, retry } = this.#timings;
    const { items, first } = await this.#call(what, requestMs, retry, options.signal, async () => {
      this.counts.list++;
      const limits = { idleMs: requestMs, totalMs: this.#timings.streamMs };
      const begun = listed({
        what,
        store,
        prefix: this.#full(prefix),
        limits,
        signal: options.signal,
        clock,
      });
      return { items: begun, first: await begun.next() };
    });
    try {
      for (let step = first; step.done !== true; step = await items.next()) {
        if (!step.value.key.startsWith(root)) throw misbehaved(what, 'a key outside of the prefix');
        const key = step.value.key.slice(root.length);
        if (isStoreKey(key)) yield { ...step.value, key };
      }
    } finally {
      await items.return();
    }
  }

  async delete(key: string, options: { readonly signal: AbortSignal }): Promise<void> {
    const what = this.#what('delete', key);
    const { requestMs, retry } = this.#timings;
    await this.#call(what, requestMs, retry, options.signal, (signal) => {
      this.counts.delete++;
      return this.#ask(what, signal, () => this.#options.store.delete(this.#key(key), { signal }));
    });
  }

  async close(options: { readonly signal: AbortSignal }): Promise<void> {
    const { clock, store } = this.#options;
    const what = `storage ${this.id}: close`;
    await withDeadline(clock, this.#timings.requestMs, options.signal, what, async (signal) =>
      this.#ask(what, signal, async () => store.close?.()),
    );
  }

  async #open(
    key: string,
    what: string,
    signal: AbortSignal,
    ifNoneMatch?: string,
  ): Promise<Opened | 'not-modified' | undefined> {
    const cancel = new AbortController();
    const onAbort = () => cancel.abort(aborted(signal));
    signal.addEventListener('abort', onAbort, { once: true });
    this.counts.get++;
    const asked = new Asked(this.#options.clock);
    try {
      const answer = await this.#ask(what, cancel.signal, () =>
        this.#options.store.get(this.#key(key), {
          ...(ifNoneMatch !== undefined && { ifNoneMatch }),
          signal: cancel.signal,
        }),
      );
      const found = checkedGet(answer, what, ifNoneMatch !== undefined);
      if (found === undefined || found === 'not-modified') return found;
      const { body, etag, modifiedAt } = found;
      const facts = {
        etag,
        ...(modifiedAt && { modifiedAt }),
        ...asked.serverTime(found),
        askedMs: asked.ms,
      };
      return { facts, body, cancel };
    } catch (error) {
      cancel.abort();
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  #body(opened: Opened, what: string, maxBytes: number, signal: AbortSignal): BoundedBody {
    const { idleMs, streamMs } = this.#timings;
    return boundedBody({
      what,
      body: opened.body,
      cancel: opened.cancel,
      maxBytes,
      limits: { idleMs, totalMs: streamMs },
      signal,
      clock: this.#options.clock,
      onBytes: (count) => {
        this.counts.bytesDown += count;
      },
    });
  }

  /** For a store without conditional writes and an operator who vouches for a single writer. */
  async #keepCondition(
    what: string,
    key: string,
    condition: PutCondition,
    signal: AbortSignal,
  ): Promise<void> {
    if (this.#options.singleWriter !== true) throw notConditional(what);
    const current = await this.stream(key, { signal });
    current?.discard();
    if (current?.etag !== condition.ifMatch) {
      throw new FallbackError('conflict', 'KF_STORE_CONFLICT', `${what}: the object is not what it was`, {
        hint: 'Somebody else writes here; `singleWriter: true` promises that nobody does.',
      });
    }
  }

  #checkSize(what: string, body: Uint8Array): void {
    const { maxObjectBytes } = this.capabilities;
    if (maxObjectBytes === undefined || body.byteLength <= maxObjectBytes) return;
    throw new FallbackError(
      'unsupported',
      'KF_STORE_OBJECT_LIMIT',
      `${what}: ${body.byteLength} bytes, the store takes ${maxObjectBytes} at most`,
      {
        hint: 'Use a storage that takes larger objects, or split the configuration over workspaces or fleets.',
      },
    );
  }

  #call<T>(
    what: string,
    deadlineMs: number,
    retry: RetryPolicy,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { breaker, outside } = this.#options;
    return outside.call(what, { signal, deadlineMs, retry, ...(breaker && { breaker }) }, work);
  }

  async #ask<T>(what: string, signal: AbortSignal, request: () => Promise<T>): Promise<T> {
    try {
      return await request();
    } catch (thrown) {
      throw fromPlugin(thrown, what, signal);
    }
  }

  #what(operation: string, key: string): string {
    return `storage ${this.id}: ${operation} ${this.#key(key)}`;
  }

  #key(key: string): string {
    return checkStoreKey(this.#full(checkStoreKey(key)));
  }

  #full(key: string): string {
    return this.prefix === '' ? key : `${this.prefix}/${key}`;
  }
}

function notConditional(what: string): FallbackError {
  return new FallbackError(
    'unsupported',
    'KF_STORE_NOT_CONDITIONAL',
    `${what}: this storage cannot write conditionally, so two exporters would overwrite each other`,
    { hint: 'Use another storage, or set `singleWriter: true` and make sure that only one exporter writes.' },
  );
}
