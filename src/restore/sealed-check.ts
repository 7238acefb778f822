import { createHash } from 'node:crypto';
import { FallbackError } from '../errors/index.ts';
import type { SealedDescription } from '../snapshot/head.ts';

/**
 * Passes sealed bytes on and ends in an error unless they are exactly those that the head describes: their length
 * and digest come before anything is decrypted (FORMAT.md §7).
 *
 * @throws FallbackError `corrupt` KF_SNAPSHOT_CORRUPT
 */
export async function* checkedSealed(
  body: AsyncIterable<Uint8Array>,
  expected: SealedDescription,
): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash('sha256');
  let length = 0;
  for await (const piece of body) {
    length += piece.length;
    if (length > expected.length)
      throw damaged(`it has more than the ${expected.length} bytes that the head names`);
    hash.update(piece);
    yield piece;
  }
  if (length < expected.length) throw damaged(`it has ${length} of ${expected.length} bytes`);
  if (hash.digest('hex') !== expected.sha256) throw damaged('its SHA-256 is not the one that the head names');
}

function damaged(why: string): FallbackError {
  return new FallbackError('corrupt', 'KF_SNAPSHOT_CORRUPT', `the stored snapshot is damaged: ${why}`, {
    hint: 'An older snapshot is used where there is one. Restore the object in the storage, or let the exporter publish a change.',
  });
}
