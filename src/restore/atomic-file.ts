import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

export const TEMPORARY_SUFFIX = '.tmp';

/**
 * Writes a file that is there whole or not at all, whatever happens on the way: beside its place under a name that
 * nobody can foresee (O_EXCL, so that a planted link is never followed), flushed, renamed, and the folder flushed.
 * Mode 0600. When the body throws, nothing is left behind.
 */
export async function writeFileAtomically(
  path: string,
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  const temporary = `${path}.${randomBytes(16).toString('hex')}${TEMPORARY_SUFFIX}`;
  const handle = await open(temporary, 'wx', 0o600);
  try {
    try {
      for await (const piece of body) await writeAll(handle, piece);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => {});
    throw error;
  }
  await syncDirectory(dirname(path));
}

async function writeAll(handle: FileHandle, piece: Uint8Array): Promise<void> {
  let offset = 0;
  while (offset < piece.length) {
    offset += (await handle.write(piece, offset, piece.length - offset)).bytesWritten;
  }
}

/** Without this a crash of the machine may lose the name although the bytes are there. */
async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } catch {
    // Some network file systems cannot flush a folder; the file itself is flushed.
  } finally {
    await handle.close();
  }
}
