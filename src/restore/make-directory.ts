import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * A directory and its parents, each with `mode`; one that is there already is left as it is. Not Node's own recursive
 * one: where a file system answers ENOENT to the creation of a parent, as /proc does, that never ends and takes a core.
 *
 * @throws the system's error
 */
export async function makeDirectory(path: string, mode?: number): Promise<void> {
  if ((await made(path, mode)) || dirname(path) === path) return;
  await makeDirectory(dirname(path), mode);
  if (!(await made(path, mode)))
    throw Object.assign(new Error(`ENOENT: cannot make ${path}`), { code: 'ENOENT' });
}

/** @returns false when its parent is missing */
async function made(path: string, mode: number | undefined): Promise<boolean> {
  try {
    await mkdir(path, mode);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return false;
    if (code !== 'EEXIST') throw error;
  }
  return true;
}
