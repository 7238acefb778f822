// The chunks of FORMAT.md §4.1: AES-256-GCM with a counter and a last-chunk flag in the nonce (STREAM).
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { blocksOf } from './blocks.ts';

export const CHUNK_BYTES = 65_536;
export const TAG_BYTES = 16;

const ALGORITHM = 'aes-256-gcm';
/** Chunks of 64 KiB: 16 EiB, far beyond any limit on a snapshot. */
const MAX_COUNTER = 2 ** 48 - 1;

/** Bytes that so many compressed bytes become, without the header. */
export function sealedChunksLength(length: number): number {
  return length + TAG_BYTES * Math.max(1, Math.ceil(length / CHUNK_BYTES));
}

/** Seals one chunk of at most CHUNK_BYTES; `counter` is its index. */
export function sealChunk(key: Uint8Array, counter: number, last: boolean, chunk: Uint8Array): Buffer[] {
  const cipher = createCipheriv(ALGORITHM, key, nonce(counter, last));
  return [cipher.update(chunk), cipher.final(), cipher.getAuthTag()];
}

/**
 * Opens chunks that arrive in any chunking, and yields each only after it authenticated.
 *
 * @param refuse makes the error for bytes that were altered, cut or extended
 */
export async function* openChunks(
  key: Uint8Array,
  sealed: AsyncIterable<Uint8Array>,
  refuse: (why: string) => Error,
): AsyncGenerator<Uint8Array, void, undefined> {
  let counter = 0;
  for await (const { block, last } of blocksOf(sealed, CHUNK_BYTES + TAG_BYTES)) {
    if (block.length < TAG_BYTES) throw refuse('it ends within a chunk');
    // An empty last chunk after full ones would be a second encoding of the same bytes.
    if (block.length === TAG_BYTES && counter > 0) throw refuse('its last chunk is empty');
    const chunk = openChunk(key, counter, last, block);
    if (chunk === undefined) throw refuse(`chunk ${counter} does not authenticate`);
    counter++;
    if (chunk.length > 0) yield chunk;
  }
}

function openChunk(key: Uint8Array, counter: number, last: boolean, block: Uint8Array): Buffer | undefined {
  const cut = block.length - TAG_BYTES;
  const decipher = createDecipheriv(ALGORITHM, key, nonce(counter, last), { authTagLength: TAG_BYTES });
  decipher.setAuthTag(block.subarray(cut));
  const chunk = decipher.update(block.subarray(0, cut));
  try {
    decipher.final();
    return chunk;
  } catch {
    chunk.fill(0);
    return undefined;
  }
}

function nonce(counter: number, last: boolean): Buffer {
  if (counter > MAX_COUNTER) throw new RangeError('too many chunks under one key');
  const bytes = Buffer.alloc(12);
  bytes.writeUIntBE(counter, 5, 6);
  bytes[11] = last ? 1 : 0;
  return bytes;
}
