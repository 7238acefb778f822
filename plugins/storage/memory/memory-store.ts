import type {
  CallOptions,
  GetOptions,
  ObjectInfo,
  ObjectStore,
  PluginContext,
  PutOptions,
  PutResult,
  StoredObject,
} from 'kongfallback/plugin';

interface Held {
  readonly etag: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly modifiedAt: Date;
}

export class MemoryStore implements ObjectStore {
  readonly #context: PluginContext;
  readonly #objects = new Map<string, Held>();
  #version = 0;

  constructor(context: PluginContext) {
    this.#context = context;
  }

  async get(key: string, options: GetOptions): Promise<StoredObject | 'not-modified' | undefined> {
    this.#check(options);
    const held = this.#objects.get(key);
    if (held === undefined) return undefined;
    if (held.etag === options.ifNoneMatch) return 'not-modified';
    const { etag, modifiedAt, bytes } = held;
    return { etag, modifiedAt, serverTime: this.#now(), body: [new Uint8Array(bytes)] };
  }

  async put(key: string, body: Uint8Array<ArrayBuffer>, options: PutOptions): Promise<PutResult> {
    this.#check(options);
    const current = this.#objects.get(key)?.etag;
    if (options.ifAbsent === true && current !== undefined) throw this.#conflict('it exists already');
    if (options.ifMatch !== undefined && current !== options.ifMatch) {
      throw this.#conflict(current === undefined ? 'it does not exist' : 'it is another version');
    }
    const etag = `"${++this.#version}"`;
    // Not slice(): of a Buffer that is no copy.
    this.#objects.set(key, { etag, bytes: new Uint8Array(body), modifiedAt: this.#now() });
    return { etag, serverTime: this.#now() };
  }

  async *list(prefix: string, options: CallOptions): AsyncIterable<ObjectInfo> {
    this.#check(options);
    const keys = [...this.#objects.keys()].filter((key) => key.startsWith(prefix)).sort();
    for (const key of keys) {
      this.#check(options);
      const held = this.#objects.get(key);
      if (held !== undefined) yield { key, size: held.bytes.byteLength, modifiedAt: held.modifiedAt };
    }
  }

  async delete(key: string, options: CallOptions): Promise<void> {
    this.#check(options);
    this.#objects.delete(key);
  }

  async close(): Promise<void> {
    this.#objects.clear();
  }

  #now(): Date {
    return new Date(this.#context.clock.now());
  }

  #check(options: CallOptions): void {
    if (options.signal.aborted) throw this.#context.error('aborted', 'stopped before it was done');
  }

  #conflict(why: string): Error {
    return this.#context.error('conflict', `not written: ${why}`, {
      hint: 'Another writer was faster; read the object again and decide.',
    });
  }
}
