// The example as it stands in the repository; test/e2e runs it from the packed tarball.
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ObjectStore, Plugin } from 'kongfallback/plugin';
import { pluginContext, storageContract } from 'kongfallback/testing';
import { test } from 'vitest';

const folder = join(import.meta.dirname, '../../../examples/custom-storage');
const load = (file: string) => import(pathToFileURL(join(folder, file)).href);
const { default: plugin } = (await load('index.js')) as { default: Plugin<'storage'> };
const { startServer } = (await load('server.js')) as {
  startServer(options: { token: string }): Promise<{ url: string; close(): Promise<void> }>;
};

storageContract(test, async () => {
  const { close, url } = await startServer({ token: 'secret' });
  const open = async (token: string, address = url) =>
    (await plugin.create({ url: address, token }, pluginContext())) as ObjectStore;
  return {
    capabilities: plugin.capabilities ?? {},
    open: () => open('secret'),
    openDenied: () => open('wrong'),
    openDead: () => open('secret', 'http://127.0.0.1:9'),
    cleanup: close,
  };
});

test('the code blocks of the README are the files', () => {
  const readme = readFileSync(join(folder, 'README.md'), 'utf8');
  const blocks = [...readme.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code);
  assert.deepEqual(
    blocks,
    ['index.js', 'index.test.js', 'server.js'].map((file) => readFileSync(join(folder, file), 'utf8')),
  );
});

test('settings without a URL, or with a word of their own, are refused', async () => {
  for (const wrong of [{}, { url: 'nowhere' }, { url: 'https://x', tokn: 'x' }]) {
    const { issues } = await plugin.settings['~standard'].validate(wrong);
    assert.equal(issues?.length, 1, JSON.stringify(wrong));
  }
});
