import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import file from '../../../../plugins/target/file/index.ts';
import { pluginContext } from '../../../../src/testing/plugin-context.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kongfallback-hostile-'));
  mkdirSync(join(directory, 'node'));
  writeFileSync(join(directory, 'theirs'), 'as it was');
});
afterEach(() => rmSync(directory, { recursive: true }));

async function apply(path: string): Promise<void> {
  const context = { ...pluginContext(), baseDirectory: directory };
  const target = await file.create({ path, mode: '0640' }, context);
  const body = [Buffer.from('{"_format_version":"3.0"}')];
  await target.apply({ body } as never, { signal: new AbortController().signal });
}

it('a link in its place is replaced, and where it led to stays as it was', async () => {
  const path = join(directory, 'node', 'kong.json');
  symlinkSync(join(directory, 'theirs'), path);
  await apply('node/kong.json');
  expect(readFileSync(join(directory, 'theirs'), 'utf8')).toBe('as it was');
  expect(lstatSync(path).isFile()).toBe(true);
  expect(lstatSync(path).mode & 0o777).toBe(0o640);
  expect(readdirSync(join(directory, 'node'))).toEqual(['kong.json']);
});

it('a path that names a folder, a NUL, or nothing there is refused with what to do', async () => {
  for (const path of ['node', 'nowhere/kong.json', 'theirs/kong.json']) {
    await expect(apply(path), path).rejects.toMatchObject({
      kind: 'invalid',
      hint: expect.stringContaining(directory),
    });
  }
  await expect(apply('node/a\0b')).rejects.toThrow();
  expect(readdirSync(join(directory, 'node'))).toEqual([]);
});
