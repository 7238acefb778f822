import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Every path below a folder with the digest of what is there; empty for a folder that does not exist. */
export function treeOf(directory: string): Readonly<Record<string, string>> {
  if (!existsSync(directory)) return {};
  const tree: Record<string, string> = {};
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) tree[path] = 'folder';
    else if (entry.isSymbolicLink()) tree[path] = `link to ${readlinkSync(path)}`;
    else tree[path] = createHash('sha256').update(readFileSync(path)).digest('hex');
  }
  return tree;
}
