/**
 * Cuts a stream in any chunking into blocks of `size` bytes. The last one may be shorter, and is empty only when the
 * whole stream is. A block is valid until the next one is asked for: it may be a view of what arrived.
 */
export async function* blocksOf(
  stream: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  size: number,
): AsyncGenerator<{ readonly block: Uint8Array; readonly last: boolean }, void, undefined> {
  const carry = new Uint8Array(size);
  let filled = 0;
  for await (const piece of stream) {
    let offset = 0;
    while (offset < piece.length) {
      if (filled === size) {
        filled = 0;
        yield { block: carry, last: false };
      }
      const left = piece.length - offset;
      // More than a block is at hand, so this one is not the last: no copy.
      if (filled === 0 && left > size) {
        yield { block: piece.subarray(offset, offset + size), last: false };
        offset += size;
        continue;
      }
      const taken = Math.min(size - filled, left);
      carry.set(piece.subarray(offset, offset + taken), filled);
      filled += taken;
      offset += taken;
    }
  }
  yield { block: carry.subarray(0, filled), last: true };
}
