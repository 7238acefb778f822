import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const root = new URL('../../fixtures/vectors/', import.meta.url);
const manifest = JSON.parse(readFileSync(new URL('manifest.json', root), 'utf8')) as Record<
  string,
  { readonly expect: unknown; readonly sha256: string }
>;
const folders = ['frames', 'heads', 'restores', 'snapshots'];

it('names every vector, and nothing else', () => {
  const files = folders.flatMap((folder) =>
    readdirSync(new URL(`${folder}/`, root)).map((file) => `${folder}/${file}`),
  );
  expect(Object.keys(manifest).sort()).toEqual(files.sort());
});

it.each(Object.entries(manifest))('%s is frozen', (path, { expect: expected, sha256 }) => {
  const text = readFileSync(new URL(path, root), 'utf8');
  expect(createHash('sha256').update(text).digest('hex')).toBe(sha256);
  expect((JSON.parse(text) as { expect: unknown }).expect).toEqual(expected);
});
