import { chmodSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect, test } from 'vitest';
import { kongVersion } from '../../../src/config/kong-version.ts';
import { folderWith } from './folder.ts';

/** What is answered where `kong` is this script. */
function answered(script: string): Promise<string | undefined> {
  const folder = folderWith({ kong: `#!/bin/sh\n${script}\n` });
  chmodSync(join(folder, 'kong'), 0o755);
  return kongVersion({ PATH: `${folder}${delimiter}/usr/bin${delimiter}/bin` });
}

test('nothing where there is no kong, it fails, or it says something else', async () => {
  expect(await kongVersion({ PATH: folderWith() })).toBeUndefined();
  expect(await answered('echo 3.9.1; exit 1')).toBeUndefined();
  expect(await answered('echo hello')).toBeUndefined();
  expect(await answered('echo 3.9')).toBeUndefined();
  expect(await answered('echo 1.2.3.4.5')).toBeUndefined();
  expect(await answered('yes 3.9.1')).toBeUndefined();
});

test.each([
  ['3.9.1', '3.9.1'],
  ['Kong Enterprise 3.12.0.0', '3.12.0.0'],
  ['3.4.2-rc.1', '3.4.2'],
])('%s', async (said, version) => {
  expect(await answered(`test "$1" = version && echo '${said}'`)).toBe(version);
});
