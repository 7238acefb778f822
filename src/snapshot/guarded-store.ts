import { FallbackError } from '../errors/index.ts';
import type { ObjectInfo, ObjectStore, StorageCapabilities } from '../plugin/index.ts';
import { type Breaker, type Clock, NO_RETRY, type Outside, withDeadline } from '../resilience/index.ts';
import { StoreAccess } from './store-access.ts';
import { Asked, checkedPut, misbehaved } from './store-answer.ts';
import { StoreCounts } from './store-counts.ts';
import { isStoreKey } from './store-key.ts';
import { listed } from './store-list.ts';
import type { PutCondition, ReadObject, StreamedObject, WrittenObject } from './store-objects.ts';
import { StoreReader } from './store-reader.ts';
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
  readonly #access: StoreAccess;
  readonly #reader: StoreReader;

  constructor(options: GuardedStoreOptions) {
    this.id = options.id;
    this.prefix = options.prefix;
    this.capabilities = options.capabilities;
    this.counts = options.counts ?? new StoreCounts();
    this.#options = options;
    const { counts } = this;
    const timings = { ...DEFAULT_STORE_TIMINGS, ...options.timings };
    this.#access = new StoreAccess({ ...options, timings, counts });
    this.#reader = new StoreReader(this.#access);
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
  read(
    key: string,
    options: { readonly maxBytes: number; readonly ifNoneMatch?: string; readonly signal: AbortSignal },
  ): Promise<ReadObject | 'not-modified' | undefined> {
    return this.#reader.read(key, options);
  }

  /**
   * The object as a stream. Once it has begun it is not retried: the reader starts again.
   *
   * @param options.maxBytes more than that ends the body with `corrupt` KF_STORE_OBJECT_TOO_LARGE
   */
  stream(
    key: string,
    options: { readonly maxBytes?: number; readonly signal: AbortSignal },
  ): Promise<StreamedObject | undefined> {
    return this.#reader.stream(key, options);
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
    const what = this.#access.what('put', key);
    this.#checkSize(what, body);
    const condition =
      options.ifMatch === undefined ? { ifAbsent: true as const } : { ifMatch: options.ifMatch };
    const kept = this.capabilities.conditionalPut === true;
    if (!kept) await this.#keepCondition(what, key, condition, options.signal);
    const deadlineMs =
      this.#access.timings.requestMs +
      Math.ceil(body.byteLength / 2 ** 20) * this.#access.timings.putMsPerMiB;
    return this.#access.call(what, deadlineMs, NO_RETRY, options.signal, async (signal) => {
      this.counts.put++;
      this.counts.bytesUp += body.byteLength;
      const asked = new Asked(this.#access.clock);
      const answer = await this.#access.ask(what, signal, () =>
        this.#options.store.put(this.#access.key(key), body, { ...(kept && condition), signal }),
      );
      const { etag, serverTime } = checkedPut(answer, what);
      return { etag, askedMs: asked.ms, ...asked.serverTime({ ...(serverTime && { serverTime }) }) };
    });
  }

  /** Objects under `prefix` (relative to the entry's), without those whose key is none of ours. */
  async *list(prefix: string, options: { readonly signal: AbortSignal }): AsyncGenerator<ObjectInfo> {
    const what = `storage ${this.id}: list ${this.#access.under(prefix)}`;
    const root = this.#access.under('');
    const { clock, store } = this.#options;
    const { requestMs, retry } = this.#access.timings;
    const { items, first } = await this.#access.call(what, requestMs, retry, options.signal, async () => {
      this.counts.list++;
      const limits = { idleMs: requestMs, totalMs: this.#access.timings.streamMs };
      const begun = listed({
        what,
        store,
        prefix: this.#access.under(prefix),
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
    const what = this.#access.what('delete', key);
    const { requestMs, retry } = this.#access.timings;
    await this.#access.call(what, requestMs, retry, options.signal, (signal) => {
      this.counts.delete++;
      return this.#access.ask(what, signal, () =>
        this.#options.store.delete(this.#access.key(key), { signal }),
      );
    });
  }

  async close(options: { readonly signal: AbortSignal }): Promise<void> {
    const { clock, store } = this.#options;
    const what = `storage ${this.id}: close`;
    await withDeadline(clock, this.#access.timings.requestMs, options.signal, what, async (signal) =>
      this.#access.ask(what, signal, async () => store.close?.()),
    );
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
}

function notConditional(what: string): FallbackError {
  return new FallbackError(
    'unsupported',
    'KF_STORE_NOT_CONDITIONAL',
    `${what}: this storage cannot write conditionally, so two exporters would overwrite each other`,
    { hint: 'Use another storage, or set `singleWriter: true` and make sure that only one exporter writes.' },
  );
}
