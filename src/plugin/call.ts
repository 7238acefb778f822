/** Options of every call into a plugin. */
export interface CallOptions {
  /**
   * Ends the call. A plugin passes it on to whatever it waits for and rejects soon after it fires; the core
   * stops waiting in any case when its own deadline passes.
   */
  readonly signal: AbortSignal;
}

/** Bytes that arrive piece by piece; leaving the loop early must free what stands behind them. */
export type ByteStream = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
