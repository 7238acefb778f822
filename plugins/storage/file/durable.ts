import { constants, open } from 'node:fs/promises';
import { errnoOf } from './errors.ts';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants;

const OWNER_ONLY = 0o600;

/** Creates a file that was not there and returns when its bytes are on the disk. */
export async function writeNewFile(
  path: string,
  body: Uint8Array,
  mode: number,
  signal: AbortSignal,
): Promise<void> {
  const handle = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
  try {
    await handle.writeFile(body, { signal });
    // The process's umask would take away what the operator asked for.
    if (mode !== OWNER_ONLY) await handle.chmod(mode);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes names in a directory survive a power cut. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, O_RDONLY);
  try {
    await handle.sync();
  } catch (error) {
    // Some network file systems have no fsync for directories and order names themselves.
    if (!['EINVAL', 'ENOTSUP', 'EOPNOTSUPP'].includes(errnoOf(error) ?? '')) throw error;
  } finally {
    await handle.close();
  }
}
