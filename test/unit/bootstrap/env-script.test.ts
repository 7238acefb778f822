import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { envScript } from '../../../src/bootstrap/env-script.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kongfallback-env-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

it.each([
  'plain.json',
  'with space.json',
  `quote'd.json`,
  `'; touch pwned; '.json`,
  '$(touch pwned).json',
  '`touch pwned`.json',
  'back\\slash"$HOME.json',
  'new\nline.json',
  '*.json',
  '~.json',
])('a shell reads the path %j as it is', (name) => {
  const document = join(directory, name);
  writeFileSync(document, '{}');
  const script = envScript({ document, prefix: "/no where's", environmentPath: 'dbless.lmdb' });
  const { stdout, status, stderr } = spawnSync(
    '/bin/sh',
    [
      '-euc',
      `${script}\nprintf %s "$KONG_DECLARATIVE_CONFIG"; [ -e pwned ] && echo " pwned" || echo " safe"`,
    ],
    { cwd: directory, env: { PATH: process.env['PATH'] ?? '' }, encoding: 'utf8' },
  );
  expect(status, stderr).toBe(0);
  expect(stdout).toBe(`${document} safe\n`);
});
