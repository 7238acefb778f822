import { classify, FallbackError } from '../errors/index.ts';
import type { ObjectInfo } from '../plugin/index.ts';
import type { GuardedStore } from './guarded-store.ts';
import type { Head, Line, SnapshotEntry } from './head.ts';
import type { Trust } from './keys.ts';
import { LIMITS } from './limits.ts';
import { checkLine, headKey, lineKey } from './object-keys.ts';
import { openSignedHead } from './signed-head.ts';
import type { StreamedObject } from './store-objects.ts';

export { encodeSignedHead } from './signed-head.ts';

/** What this needs of a store; keys are below the store's prefix. */
export type LineStore = Pick<GuardedStore, 'id' | 'read' | 'stream' | 'put' | 'list' | 'delete'>;

export interface HeadReading {
  readonly head: Head;
  /** As stored, for the cache. */
  readonly bytes: Uint8Array;
  readonly etag: string;
  /** Signed by a trusted key. */
  readonly authenticated: boolean;
  readonly serverTime?: Date;
}

/** What an exporter needs to know before it writes. */
export interface HeadForUpdate {
  /** Undefined: there is none, or it is damaged. */
  readonly head: Head | undefined;
  /** Undefined: there is none. */
  readonly etag: string | undefined;
  readonly serverTime?: Date;
  /** Why the stored head counts for nothing and may be replaced. */
  readonly damage?: FallbackError;
}

export interface SwappedHead {
  readonly etag: string;
  readonly serverTime?: Date;
}

interface CallOptions {
  readonly signal: AbortSignal;
}

const MAX_LISTED = 1000;

/** What an exporter may write over: damage, and heads from before signing was set up or a key was changed. */
const REPLACEABLE = ['KF_HEAD_UNSIGNED', 'KF_HEAD_UNTRUSTED'];

/** One line in one store. Which of two configurations is newer is not its business (src/export/decide.ts). */
export class SnapshotStore {
  readonly id: string;
  readonly #store: LineStore;
  readonly #line: Line;
  readonly #trust: Trust;

  /** @throws FallbackError `invalid` KF_LINE_INVALID */
  constructor(store: LineStore, line: Line & { readonly trust: Trust }) {
    checkLine(line);
    this.id = store.id;
    this.#store = store;
    this.#line = { cluster: line.cluster, gatewayVersion: line.gatewayVersion };
    this.#trust = line.trust;
  }

  /**
   * The verified head, or undefined where there is none.
   *
   * @throws FallbackError what the store or `openSignedHead` throws
   */
  async readHead(options: CallOptions): Promise<HeadReading | undefined>;
  async readHead(
    options: CallOptions & { readonly ifNoneMatch: string },
  ): Promise<HeadReading | 'not-modified' | undefined>;
  async readHead(
    options: CallOptions & { readonly ifNoneMatch?: string },
  ): Promise<HeadReading | 'not-modified' | undefined> {
    const found = await this.#read(options);
    if (found === undefined || found === 'not-modified') return found;
    const { bytes, etag, serverTime } = found;
    const opened = openSignedHead(bytes, this.#line, this.#trust, this.#where());
    return { ...opened, bytes, etag, ...(serverTime && { serverTime }) };
  }

  /**
   * For an exporter, which replaces a head that is damaged, forged, unsigned or signed by a stranger. One of another
   * cluster, version or format is an error all the same: it may be another fleet's only one.
   */
  async readHeadForUpdate(options: CallOptions): Promise<HeadForUpdate> {
    const found = await this.#read(options);
    if (found === undefined || found === 'not-modified') return { head: undefined, etag: undefined };
    const { bytes, etag, serverTime } = found;
    const facts = { etag, ...(serverTime && { serverTime }) };
    try {
      return { head: openSignedHead(bytes, this.#line, this.#trust, this.#where()).head, ...facts };
    } catch (thrown) {
      const damage = classify(thrown, this.#where());
      if (damage.kind !== 'corrupt' && !REPLACEABLE.includes(damage.code)) throw damage;
      return { head: undefined, damage, ...facts };
    }
  }

  /** The stored head, not verified; undefined where there is none. */
  async readHeadBytes(
    options: CallOptions,
  ): Promise<{ readonly bytes: Uint8Array; readonly etag: string } | undefined> {
    const found = await this.#read(options);
    return found === undefined || found === 'not-modified' ? undefined : found;
  }

  /**
   * Replaces the head that `etag` names, or creates the first one. When the answer is lost or a condition fails, it
   * looks whether these bytes are what is there now: then the write landed.
   *
   * @throws FallbackError `conflict` KF_HEAD_SWAP_LOST; `unavailable`: nothing is known to have changed
   */
  async swapHead(
    head: Uint8Array<ArrayBuffer>,
    options: CallOptions & { readonly etag: string | undefined },
  ): Promise<SwappedHead> {
    const { etag, signal } = options;
    const condition = etag === undefined ? { ifAbsent: true as const } : { ifMatch: etag };
    try {
      return await this.#store.put(this.#headKey, head, { ...condition, signal });
    } catch (thrown) {
      const error = classify(thrown, this.#where());
      if (signal.aborted || (error.kind !== 'conflict' && error.kind !== 'unavailable')) throw error;
      return this.#settleSwap(head, etag, error, signal);
    }
  }

  /** Already there is as good as written: the key carries the digest of the bytes. */
  putSnapshot(
    key: string,
    sealed: Uint8Array<ArrayBuffer>,
    options: CallOptions,
  ): Promise<{ readonly serverTime?: Date }> {
    return this.#putOnce(key, sealed, options);
  }

  /** Sealed bytes as stored, not yet checked; ends with `corrupt` above the entry's length. */
  async streamSnapshot(entry: SnapshotEntry, options: CallOptions): Promise<StreamedObject | undefined> {
    const maxBytes = entry.sealed.length;
    return this.#store.stream(this.#key(entry.key), { maxBytes, signal: options.signal });
  }

  /** A refused configuration or its record (FORMAT.md §6); `key` is below the line. */
  async putRefused(key: string, bytes: Uint8Array<ArrayBuffer>, options: CallOptions): Promise<void> {
    await this.#putOnce(key, bytes, options);
  }

  listRefused(options: CallOptions): Promise<ObjectInfo[]> {
    return this.#list('refused/', options);
  }

  deleteRefused(key: string, options: CallOptions): Promise<void> {
    return this.#store.delete(this.#key(key), options);
  }

  listSnapshots(options: CallOptions): Promise<ObjectInfo[]> {
    return this.#list('snapshots/', options);
  }

  deleteSnapshot(key: string, options: CallOptions): Promise<void> {
    return this.#store.delete(this.#key(key), options);
  }

  /** At most 1000; keys below the line. */
  async #list(folder: string, options: CallOptions): Promise<ObjectInfo[]> {
    const found: ObjectInfo[] = [];
    for await (const info of this.#store.list(this.#key(folder), options)) {
      found.push({ ...info, key: info.key.slice(this.#key('').length) });
      if (found.length === MAX_LISTED) break;
    }
    return found;
  }

  async #putOnce(
    key: string,
    bytes: Uint8Array<ArrayBuffer>,
    { signal }: CallOptions,
  ): Promise<{ readonly serverTime?: Date }> {
    try {
      return await this.#store.put(this.#key(key), bytes, { ifAbsent: true, signal });
    } catch (thrown) {
      const error = classify(thrown, `storage ${this.id}: put ${key}`);
      if (error.kind !== 'conflict') throw error;
      return {};
    }
  }

  async #settleSwap(
    head: Uint8Array,
    expected: string | undefined,
    error: FallbackError,
    signal: AbortSignal,
  ): Promise<SwappedHead> {
    const now = await this.#read({ signal }).catch(() => {
      throw error;
    });
    if (now === 'not-modified') throw error;
    // The nonce in it makes the bytes of each head its writer's own.
    if (now !== undefined && Buffer.from(head.buffer, head.byteOffset, head.length).equals(now.bytes)) {
      return { etag: now.etag, ...(now.serverTime && { serverTime: now.serverTime }) };
    }
    if (error.kind === 'unavailable' && now?.etag === expected) throw error;
    throw new FallbackError(
      'conflict',
      'KF_HEAD_SWAP_LOST',
      `${this.#where()}: another exporter was faster`,
      {
        cause: error,
        hint: 'The head is read again and the decision made anew.',
      },
    );
  }

  #read(options: CallOptions & { readonly ifNoneMatch?: string }) {
    return this.#store.read(this.#headKey, { ...options, maxBytes: LIMITS.headEnvelopeBytes });
  }

  get #headKey(): string {
    return headKey(this.#line.gatewayVersion);
  }

  #key(key: string): string {
    return lineKey(this.#line.gatewayVersion, key);
  }

  #where(): string {
    return `storage ${this.id}: ${this.#headKey}`;
  }
}
