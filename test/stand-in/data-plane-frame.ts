import { frameHeader } from '../../src/relay/copy/frame-header.ts';
import type { PreparedFrame } from '../../src/relay/prepared-frame.ts';

const PIECE_BYTES = 262_144;

/** One binary WebSocket message around a payload, in pieces, as the relay prepares them. */
export function preparedFrame(payload: Uint8Array): PreparedFrame {
  const whole = Buffer.concat([frameHeader(payload.length), payload]);
  const pieces: Buffer[] = [];
  for (let at = 0; at < whole.length; at += PIECE_BYTES) pieces.push(whole.subarray(at, at + PIECE_BYTES));
  return { pieces, length: whole.length };
}
