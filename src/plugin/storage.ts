import type { ByteStream, CallOptions } from './call.ts';
import type { Finding } from './validator.ts';

/**
 * Keys and bytes. A storage plugin knows nothing of Kong or of snapshots, never retries and knows no breakers:
 * the core wraps every call with a deadline, retries and a breaker.
 *
 * Keys are `/`-separated, at most 512 bytes of [A-Za-z0-9._/-], without empty, `.` or `..` parts, and already
 * carry the entry's prefix. Errors are thrown with a `kind` (see `PluginContext.error`).
 */
export interface ObjectStore {
  /**
   * The object, `undefined` when there is none, or 'not-modified' when `ifNoneMatch` equals its ETag.
   * A read never mixes two versions of an object.
   */
  get(key: string, options: GetOptions): Promise<StoredObject | 'not-modified' | undefined>;
  /**
   * All or nothing: a reader sees the former object or the whole new one. When a condition does not hold,
   * nothing is written and the error has kind `conflict`. A store that cannot keep a condition must refuse it
   * with kind `unsupported`, never ignore it. The bytes belong to the caller and must not be changed.
   */
  put(key: string, body: Uint8Array<ArrayBuffer>, options: PutOptions): Promise<PutResult>;
  /** Every object whose key starts with `prefix`, in ascending key order, fetched as the caller reads on. */
  list(prefix: string, options: CallOptions): AsyncIterable<ObjectInfo>;
  /** Removes the object; a missing one is no error. */
  delete(key: string, options: CallOptions): Promise<void>;
  /**
   * Optional; asked by `kongfallback doctor` alone. What of the store itself will harm what is kept below a prefix, such as
   * a rule that deletes old objects (a fleet that changes nothing has one snapshot, however old), and for a reader that it
   * could write. It harms nothing by looking: a write that it tries is one that cannot succeed.
   */
  inspect?(options: InspectOptions): Promise<StoreInspection>;
  /** Frees connections and handles; called once, when nothing else is under way. */
  close?(): Promise<void>;
}

export interface StoreInspection {
  readonly findings: readonly Finding[];
  /** What these rights, or this server, do not let it see, in a few words: "lifecycle rules". */
  readonly unseen: readonly string[];
}

export interface InspectOptions extends CallOptions {
  /** The entry's prefix, without a slash at its end; '' for none. */
  readonly prefix: string;
  /** What whoever asks is here for. */
  readonly as: 'reader' | 'writer';
}

export interface GetOptions extends CallOptions {
  /** ETag of the version the caller already has. */
  readonly ifNoneMatch?: string;
}

export interface PutOptions extends CallOptions {
  /** Write only if the object's current ETag is this one. */
  readonly ifMatch?: string;
  /** Write only if there is no object. Never together with `ifMatch`. */
  readonly ifAbsent?: boolean;
}

export interface PutResult {
  /** Changes whenever the bytes change. */
  readonly etag: string;
  /** The store's own clock when it answered, where it tells (HTTP `Date`). */
  readonly serverTime?: Date;
}

export interface StoredObject {
  readonly etag: string;
  readonly modifiedAt?: Date;
  readonly serverTime?: Date;
  /** Read once; leaving the loop frees the connection. */
  readonly body: ByteStream;
}

export interface ObjectInfo {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  readonly modifiedAt?: Date;
}

export interface StorageCapabilities {
  /** Keeps `ifMatch` and `ifAbsent`. Where false, `singleWriter: true` must be set to export to it. */
  readonly conditionalPut?: boolean;
  /** Largest object in bytes. */
  readonly maxObjectBytes?: number;
}
