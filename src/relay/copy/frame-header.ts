// Header of one whole message from a server (RFC 6455 §5.2): final, binary, not masked. A data plane of Kong takes nothing
// that is fragmented, compressed or masked.
const FINAL_BINARY = 0x82;

/** The longest header: two bytes and a length of 64 bits. */
export const MAX_FRAME_HEADER_BYTES = 10;

/** @param payloadBytes at most 2^53 - 1 */
export function frameHeader(payloadBytes: number): Buffer {
  if (payloadBytes < 126) return Buffer.from([FINAL_BINARY, payloadBytes]);
  if (payloadBytes < 0x1_0000) {
    const header = Buffer.from([FINAL_BINARY, 126, 0, 0]);
    header.writeUInt16BE(payloadBytes, 2);
    return header;
  }
  const header = Buffer.alloc(MAX_FRAME_HEADER_BYTES);
  header[0] = FINAL_BINARY;
  header[1] = 127;
  header.writeBigUInt64BE(BigInt(payloadBytes), 2);
  return header;
}

/** Bytes of the header that a frame of ours begins with. */
export function frameHeaderBytes(firstPiece: Uint8Array): number {
  const length = (firstPiece[1] ?? 0) & 0x7f;
  if (length === 127) return MAX_FRAME_HEADER_BYTES;
  return length === 126 ? 4 : 2;
}
