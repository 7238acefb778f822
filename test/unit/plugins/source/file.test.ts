import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { FileSource } from '../../../../plugins/source/file/file-source.ts';
import fileSource from '../../../../plugins/source/file/index.ts';
import { pluginContext } from '../../../../src/testing/plugin-context.ts';

const folder = mkdtempSync(join(tmpdir(), 'kf-source-file-'));
afterAll(() => rmSync(folder, { recursive: true }));
const signal = new AbortController().signal;
const context = pluginContext({ baseDirectory: folder });
const at = (name: string) => join(folder, name);
const open = (name: string, maxBytes = 1000, end = signal) =>
  new FileSource(at(name), maxBytes, context).open({ gatewayVersion: '3.9.3', signal: end });

describe('what cannot be read', () => {
  mkdirSync(at('directory'));
  execFileSync('mkfifo', [at('pipe')]);
  symlinkSync(at('loop'), at('loop'));
  writeFileSync(at('large'), 'x'.repeat(1001));
  writeFileSync(at('closed'), '{}');
  chmodSync(at('closed'), 0);
  test.each([
    ['missing', 'invalid'],
    ['directory', 'invalid'],
    ['pipe', 'invalid'],
    ['large/below', 'invalid'],
    ['loop', 'invalid'],
    ['large', 'unsupported'],
  ])('%s is %s, named, with a hint', async (name, kind) => {
    await expect(open(name)).rejects.toMatchObject({
      kind,
      message: expect.stringContaining(at(name)),
      hint: expect.any(String),
    });
  });

  test.skipIf(process.getuid?.() === 0)('a file of somebody else is denied', async () => {
    await expect(open('closed')).rejects.toMatchObject({ kind: 'denied' });
  });

  test('a device without end', async () => {
    const endless = new FileSource('/dev/zero', 1000, context);
    await expect(endless.open({ gatewayVersion: '3.9.3', signal })).rejects.toMatchObject({
      kind: 'invalid',
    });
  });

  test('after the caller gave up', async () => {
    writeFileSync(at('good'), '{}');
    await expect(open('good', 1000, AbortSignal.abort())).rejects.toMatchObject({ kind: 'aborted' });
  });
});

test('a document, once per session, byte for byte', async () => {
  const text = '{ "_format_version": "3.0", "services": [] }\n';
  writeFileSync(at('kong.json'), text);
  const source = await fileSource.create({ path: 'kong.json', maxBytes: text.length }, context);
  for (let session = 0; session < 2; session++) {
    const received = [];
    const { close, configurations } = await source.open({ gatewayVersion: '3.9.3', signal });
    for await (const one of configurations) received.push(one);
    await close();
    expect(received).toHaveLength(1);
    expect(received[0]).toMatchObject({ form: 'document', ordinal: 1, fromControlPlane: false });
    expect(received[0]?.peerTime).toBeUndefined();
    expect(Buffer.from(received[0]?.bytes ?? []).toString()).toBe(text);
  }
});

test('settings are strict', async () => {
  const issues = async (given: object) => (await fileSource.settings['~standard'].validate(given)).issues;
  expect(await issues({})).toBeDefined();
  expect(await issues({ path: 'a', maxbytes: 1 })).toBeDefined();
  expect(await issues({ path: '', maxBytes: 1 })).toBeDefined();
  expect(await issues({ path: 'a' })).toBeUndefined();
});
