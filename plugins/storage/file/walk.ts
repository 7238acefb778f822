import type { Dirent } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ObjectInfo } from 'kongfallback/plugin';
import { errnoOf } from './errors.ts';
import { isPart } from './place.ts';

/** Files under `folder` whose key starts with `prefix`, in key order, one folder at a time in memory. */
export async function* walk(folder: string, base: string, prefix: string): AsyncGenerator<ObjectInfo> {
  for (const entry of await entries(folder)) {
    const key = `${base}${entry.name}`;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      const below = `${key}/`;
      if (below.startsWith(prefix) || prefix.startsWith(below)) yield* walk(path, below, prefix);
    } else if (entry.isFile() && key.startsWith(prefix)) {
      const found = await stat(path);
      if (found !== undefined) yield { key, size: found.size, modifiedAt: found.mtime };
    }
  }
}

async function entries(folder: string): Promise<Dirent[]> {
  try {
    const all = await readdir(folder, { withFileTypes: true });
    return all.filter((entry) => isPart(entry.name)).sort((a, b) => (sortName(a) < sortName(b) ? -1 : 1));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** "a-b" comes before "a/x", but "a" before "a-b": a folder sorts with its slash. */
function sortName(entry: Dirent): string {
  return entry.isDirectory() ? `${entry.name}/` : entry.name;
}

/** Undefined for what was removed since the folder was read. */
async function stat(path: string) {
  try {
    return await lstat(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
