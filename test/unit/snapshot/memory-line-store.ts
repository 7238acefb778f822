import { createHash } from 'node:crypto';
import { FallbackError } from '../../../src/errors/index.ts';
import type { LineStore } from '../../../src/snapshot/snapshot-store.ts';

export type Operation = 'read' | 'stream' | 'put' | 'list' | 'delete';

/** A store in a Map that counts its calls, and does before each what a test has planned for it. */
export class MemoryLineStore implements LineStore {
  readonly id: string;
  readonly objects = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly calls: string[] = [];
  serverTime: Date | undefined;
  /** Called before the effect; what it throws ends the call. */
  before: (operation: Operation, key: string) => unknown = () => {};
  /** Called after the effect: what it throws is a lost answer. */
  after: (operation: Operation, key: string) => unknown = () => {};

  constructor(id = 'memory') {
    this.id = id;
  }

  count(operation: Operation): number {
    return this.calls.filter((call) => call.startsWith(operation)).length;
  }

  read: LineStore['read'] = async (key, { maxBytes, ifNoneMatch }) =>
    this.#around('read', key, () => {
      const bytes = this.objects.get(key);
      if (bytes === undefined) return undefined;
      if (ifNoneMatch === etagOf(bytes)) return 'not-modified';
      if (bytes.length > maxBytes) throw new FallbackError('corrupt', 'KF_STORE_OBJECT_TOO_LARGE', key);
      return { bytes, ...this.#facts(bytes) };
    });

  stream: LineStore['stream'] = async (key, { maxBytes = Number.POSITIVE_INFINITY }) =>
    this.#around('stream', key, () => {
      const bytes = this.objects.get(key);
      if (bytes === undefined) return undefined;
      return { ...this.#facts(bytes), body: pieces(bytes, maxBytes, key), discard: () => {} };
    });

  put: LineStore['put'] = async (key, body, { ifMatch, ifAbsent }) =>
    this.#around('put', key, () => {
      const current = this.objects.get(key);
      const holds =
        ifAbsent === true ? current === undefined : current !== undefined && etagOf(current) === ifMatch;
      if (!holds) throw new FallbackError('conflict', 'KF_STORE_CONFLICT', key);
      const bytes = Uint8Array.from(body);
      this.objects.set(key, bytes);
      return this.#facts(bytes);
    });

  list: LineStore['list'] = (prefix) => this.#list(prefix);

  delete: LineStore['delete'] = async (key) =>
    this.#around('delete', key, () => {
      this.objects.delete(key);
    });

  async *#list(prefix: string) {
    this.calls.push(`list ${prefix}`);
    for (const [key, bytes] of [...this.objects].sort()) {
      if (key.startsWith(prefix)) yield { key, size: bytes.length };
    }
  }

  async #around<T>(operation: Operation, key: string, effect: () => T): Promise<T> {
    this.calls.push(`${operation} ${key}`);
    await this.before(operation, key);
    const result = effect();
    await this.after(operation, key);
    return result;
  }

  #facts(bytes: Uint8Array) {
    return { etag: etagOf(bytes), askedMs: 0, ...(this.serverTime && { serverTime: this.serverTime }) };
  }
}

export const etagOf = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex');

async function* pieces(
  bytes: Uint8Array,
  maxBytes: number,
  key: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += 1000) {
    if (at + 1000 > maxBytes && bytes.length > maxBytes) {
      throw new FallbackError('corrupt', 'KF_STORE_OBJECT_TOO_LARGE', key);
    }
    yield bytes.subarray(at, at + 1000);
  }
}
