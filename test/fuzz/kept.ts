import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = (target: string): string => fileURLToPath(new URL(`corpus/${target}/`, import.meta.url));

/** Inputs that once broke a target. */
export function kept(target: string): readonly { readonly name: string; readonly bytes: Buffer }[] {
  if (!existsSync(folder(target))) return [];
  return readdirSync(folder(target)).map((name) => ({
    name,
    bytes: readFileSync(`${folder(target)}${name}`),
  }));
}

/** @returns the file's path */
export function keep(target: string, bytes: Buffer): string {
  mkdirSync(folder(target), { recursive: true });
  const path = `${folder(target)}${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}.bin`;
  writeFileSync(path, bytes);
  return path;
}
