import type { ByteStream } from '../plugin/index.ts';
import { aborted } from '../resilience/index.ts';
import type { StoreAccess } from './store-access.ts';
import { Asked, checkedGet } from './store-answer.ts';
import { type BoundedBody, boundedBody, collect } from './store-body.ts';
import type { ObjectFacts, ReadObject, StreamedObject } from './store-objects.ts';

interface Opened {
  readonly facts: ObjectFacts;
  readonly body: ByteStream;
  /** The plugin's signal for this object. */
  readonly cancel: AbortController;
}

/** Reading from a storage: answers are checked, bodies bounded in size and time. */
export class StoreReader {
  readonly #access: StoreAccess;

  constructor(access: StoreAccess) {
    this.#access = access;
  }

  /** As `GuardedStore.read`. */
  async read(
    key: string,
    options: { readonly maxBytes: number; readonly ifNoneMatch?: string; readonly signal: AbortSignal },
  ): Promise<ReadObject | 'not-modified' | undefined> {
    const what = this.#access.what('get', key);
    return this.#access.call(
      what,
      this.#access.timings.requestMs,
      this.#access.timings.retry,
      options.signal,
      async (signal) => {
        const opened = await this.#open(key, what, signal, options.ifNoneMatch);
        if (opened === undefined || opened === 'not-modified') return opened;
        const bytes = await collect(this.#body(opened, what, options.maxBytes, signal).body);
        return { ...opened.facts, bytes };
      },
    );
  }

  /** As `GuardedStore.stream`. */
  async stream(
    key: string,
    options: { readonly maxBytes?: number; readonly signal: AbortSignal },
  ): Promise<StreamedObject | undefined> {
    const what = this.#access.what('get', key);
    const { requestMs, retry } = this.#access.timings;
    const opened = await this.#access.call(what, requestMs, retry, options.signal, (signal) =>
      this.#open(key, what, signal),
    );
    if (opened === undefined || opened === 'not-modified') return undefined;
    const maxBytes = options.maxBytes ?? Number.POSITIVE_INFINITY;
    return {
      ...opened.facts,
      ...this.#body(opened, what, maxBytes, options.signal),
    };
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
    this.#access.counts.get++;
    const asked = new Asked(this.#access.clock);
    try {
      const answer = await this.#access.ask(what, cancel.signal, () =>
        this.#access.store.get(this.#access.key(key), {
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
    const { idleMs, streamMs } = this.#access.timings;
    return boundedBody({
      what,
      body: opened.body,
      cancel: opened.cancel,
      maxBytes,
      limits: { idleMs, totalMs: streamMs },
      signal,
      clock: this.#access.clock,
      onBytes: (count) => {
        this.#access.counts.bytesDown += count;
      },
    });
  }
}
