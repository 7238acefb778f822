import { createReadStream } from 'node:fs';

/** Large enough that calls into the system do not count, small enough for flat memory. */
const PIECE_BYTES = 64 * 1024;

/** A file in pieces; leaving the loop closes it. */
export function readPieces(path: string): AsyncIterable<Uint8Array> {
  return createReadStream(path, { highWaterMark: PIECE_BYTES });
}
