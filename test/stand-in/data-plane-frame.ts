import type { PreparedFrame } from '../../src/relay/prepared-frame.ts';

const PIECE_BYTES = 262_144;

/** One binary WebSocket message around a payload, in pieces, as the relay prepares them. */
export function preparedFrame(payload: Uint8Array): PreparedFrame {
  const header =
    payload.length < 126
      ? Buffer.from([0x82, payload.length])
      : payload.length < 65_536
        ? Buffer.from([0x82, 126, payload.length >> 8, payload.length & 0xff])
        : Buffer.concat([Buffer.from([0x82, 127]), bigEndian(payload.length)]);
  const whole = Buffer.concat([header, payload]);
  const pieces: Buffer[] = [];
  for (let at = 0; at < whole.length; at += PIECE_BYTES) pieces.push(whole.subarray(at, at + PIECE_BYTES));
  return { pieces, length: whole.length };
}

function bigEndian(length: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(length));
  return bytes;
}
