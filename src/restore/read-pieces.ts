import { createReadStream } from 'node:fs';

/** Large enough that calls into the system do not count, small enough for flat memory. */
const PIECE_BYTES = 64 * 1024;

/** A file in pieces; opened when the first one is asked for, closed when the loop is left. */
export async function* readPieces(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  yield* createReadStream(path, { highWaterMark: PIECE_BYTES }) as AsyncIterable<Uint8Array>;
}
