import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
let folder: string;

beforeEach(() => {
  expect(existsSync(join(ROOT, 'dist/src/index.js')), 'the library is not built: run `npm run build`').toBe(
    true,
  );
  folder = mkdtempSync(join(tmpdir(), 'kongfallback-embed-'));
  cpSync(join(ROOT, 'examples/embed'), folder, { recursive: true });
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(ROOT, join(folder, 'node_modules/kongfallback'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('examples/embed exports and restores inside another program, which then ends by itself', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['embed.mjs'], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect(stdout, stderr).toBe('exported: published\norigin: storage same bytes: true\n');
  expect(status).toBe(0);
});
