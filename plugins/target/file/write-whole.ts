import { randomBytes } from 'node:crypto';
import { open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { ByteStream } from 'kongfallback/plugin';

export interface WholeFile {
  readonly path: string;
  readonly mode: number;
  readonly owner: { readonly user: number; readonly group: number } | undefined;
  readonly body: ByteStream;
  readonly signal: AbortSignal;
}

/**
 * The old file or the whole new one, at any moment and after any kill: written beside its place, flushed, renamed,
 * and the directory flushed. When the body throws, nothing has happened.
 */
export async function writeWhole({ path, mode, owner, body, signal }: WholeFile): Promise<void> {
  const beside = join(dirname(path), `.${basename(path)}.${randomBytes(8).toString('hex')}.tmp`);
  const file = await open(beside, 'wx', mode);
  try {
    try {
      // Before there is anything to read. Giving it away takes some rights back, so the mode comes second; the umask
      // must not decide who can read it.
      if (owner !== undefined) await file.chown(owner.user, owner.group);
      await file.chmod(mode);
      for await (const chunk of body) {
        signal.throwIfAborted();
        await file.writeFile(chunk);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    signal.throwIfAborted();
    await rename(beside, path);
  } catch (error) {
    await unlink(beside).catch(() => {});
    throw error;
  }
  const directory = await open(dirname(path), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
