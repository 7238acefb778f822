/** One WebSocket message, header and all, built once and shared by every data plane that it is sent to. */
export interface PreparedFrame {
  /** In order, at most 256 KiB each. */
  readonly pieces: readonly Buffer[];
  /** Bytes of all pieces. */
  readonly length: number;
}
