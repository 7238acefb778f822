import { open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { FallbackError } from '../errors/index.ts';

/**
 * Writes a document as a target does, to a file that has no name any more when its first byte arrives: whatever ends
 * this process, no readable configuration stays behind.
 *
 * @returns its length in bytes
 * @throws FallbackError `unavailable` KF_DRILL_SCRATCH; what the body throws
 */
export async function writeScratchFile(directory: string, body: AsyncIterable<Uint8Array>): Promise<number> {
  const path = join(directory, 'document');
  let length = 0;
  try {
    const handle = await open(path, 'wx', 0o600);
    try {
      await unlink(path);
      for await (const piece of body) {
        await handle.writeFile(piece);
        length += piece.length;
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (thrown) {
    throw typeof (thrown as NodeJS.ErrnoException).syscall === 'string' ? noRoom(directory, thrown) : thrown;
  }
  return length;
}

export const noRoom = (directory: string, cause: unknown): FallbackError =>
  new FallbackError(
    'unavailable',
    'KF_DRILL_SCRATCH',
    `the drill cannot write to ${directory}: ${cause instanceof Error ? cause.message : String(cause)}`,
    {
      cause,
      hint: 'It needs room for one sealed snapshot and one document there; TMPDIR names another folder.',
    },
  );
