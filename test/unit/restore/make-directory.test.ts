import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { makeDirectory } from '../../../src/restore/make-directory.ts';

const folder = mkdtempSync(join(tmpdir(), 'kf-make-directory-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('makes what is missing, with the mode, and leaves the rest', async () => {
  const path = join(folder, 'a/b/c');
  await makeDirectory(path, 0o700);
  expect(statSync(path).mode & 0o777).toBe(0o700);
  expect(statSync(join(folder, 'a')).mode & 0o777).toBe(0o700);
  await makeDirectory(path, 0o755);
  expect(statSync(path).mode & 0o777).toBe(0o700);
});

test('a file in the way is named by the system', async () => {
  writeFileSync(join(folder, 'file'), '');
  await expect(makeDirectory(join(folder, 'file/below'))).rejects.toMatchObject({ code: 'ENOTDIR' });
});

test.skipIf(!existsSync('/proc/self'))('ends where nothing can be made', async () => {
  await expect(makeDirectory('/proc/self/nothing/below')).rejects.toMatchObject({ code: 'ENOENT' });
});
