/** Kong's other members (hash, sub-hashes, timestamp, type) take 400 bytes together. */
const TAIL_BYTES = 4096;

/**
 * Guesses where the object that begins at `start` ends, from the last bytes of the message alone: the first `}`
 * after which the rest still reads as the end of an object. No place *inside* the value can pass (a nested one
 * leaves a closing bracket too many, one inside a string an odd number of quotes), so the guess is the true end
 * or, when other members larger than the window follow, a later place, where JSON.parse of the slice fails.
 *
 * @returns the end (exclusive), or undefined when nothing in the window fits
 */
export function guessTableEnd(bytes: Uint8Array, start: number): number | undefined {
  const windowStart = Math.max(start + 1, bytes.length - TAIL_BYTES);
  const tail = Buffer.from(
    bytes.buffer,
    bytes.byteOffset + windowStart,
    Math.max(0, bytes.length - windowStart),
  ).toString('latin1');
  for (let at = tail.indexOf('}'); at >= 0; at = tail.indexOf('}', at + 1)) {
    if (closes(tail.slice(at + 1))) return windowStart + at + 1;
  }
  return undefined;
}

function closes(rest: string): boolean {
  try {
    JSON.parse(`{"config_table":null${rest}`);
    return true;
  } catch {
    return false;
  }
}
