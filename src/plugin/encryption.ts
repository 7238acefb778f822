import type { CallOptions } from './call.ts';

/**
 * A whole format of its own (`age`, `none`). `context` is authenticated with the document and must be the same
 * on opening: format, cluster, gateway version and document digest (src/snapshot/FORMAT.md §5).
 */
export interface Encryption {
  seal(
    document: AsyncIterable<Uint8Array>,
    context: Uint8Array,
    options: CallOptions,
  ): AsyncIterable<Uint8Array>;
  /** Yields authenticated bytes only; anything altered or cut ends in kind `corrupt`. */
  open(
    sealed: AsyncIterable<Uint8Array>,
    context: Uint8Array,
    options: CallOptions,
  ): AsyncIterable<Uint8Array>;
}

/**
 * Wraps the 32-byte data key of the core's own envelope, so that a KMS plugin is a few lines. Several can stand
 * in one list; any one of them opens.
 */
export interface KeyWrap {
  wrap(dataKey: Uint8Array, context: Uint8Array, options: CallOptions): Promise<WrappedKey>;
  /**
   * The data key. A key id that this plugin does not hold is kind `denied`; a wrapped key that does not
   * authenticate under a key it holds is kind `corrupt`.
   */
  unwrap(keyId: string, wrapped: Uint8Array, context: Uint8Array, options: CallOptions): Promise<Uint8Array>;
}

export interface WrappedKey {
  /** Names the wrapping key without revealing it; at most 256 characters. */
  readonly keyId: string;
  /** At most 4096 bytes. */
  readonly wrapped: Uint8Array;
}
