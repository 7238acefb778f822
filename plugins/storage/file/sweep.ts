import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { INTERNAL } from './place.ts';

/** Older than any write under way, also of a machine that was suspended over lunch. */
const LEFTOVER_MS = 3_600_000;

/** Removes what crashed writers left in a folder. Locks stay: waiters take them over. */
export async function sweep(folder: string, nowMs: number): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith(`${INTERNAL}stage-`) && !name.startsWith(`${INTERNAL}broken-`)) continue;
    const path = join(folder, name);
    try {
      if (nowMs - (await lstat(path)).mtimeMs > LEFTOVER_MS) await rm(path, { recursive: true, force: true });
    } catch {
      // Somebody else swept it, or it is not ours to remove: it is in nobody's way.
    }
  }
}
