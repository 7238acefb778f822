import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { FileSource } from '../../../../plugins/source/file/file-source.ts';
import fileSource from '../../../../plugins/source/file/index.ts';
import { FakeClock } from '../../../../src/testing/fake-clock.ts';
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

test('a document, byte for byte, in each session', async () => {
  const text = '{ "_format_version": "3.0", "services": [] }\n';
  writeFileSync(at('kong.json'), text);
  const source = await fileSource.create({ path: 'kong.json', maxBytes: text.length }, context);
  for (let session = 0; session < 2; session++) {
    const { close, configurations } = await source.open({ gatewayVersion: '3.9.3', signal });
    const received = (await configurations[Symbol.asyncIterator]().next()).value;
    await close();
    expect(received).toMatchObject({ form: 'document', ordinal: 1, fromControlPlane: false });
    expect(received?.peerTime).toBeUndefined();
    expect(Buffer.from(received?.bytes ?? []).toString()).toBe(text);
  }
});

describe('a session that stays open', () => {
  const follow = async (name: string, clock: FakeClock) => {
    const source = new FileSource(at(name), 1000, { ...context, clock });
    const session = await source.open({ gatewayVersion: '3.9.3', signal });
    const received = session.configurations[Symbol.asyncIterator]();
    await received.next();
    return { next: received.next(), close: () => session.close() };
  };
  const replace = (name: string, text: string) => {
    writeFileSync(at(`${name}.new`), text);
    renameSync(at(`${name}.new`), at(name));
  };

  test('gives the file again when it is another one, and not before', async () => {
    const clock = new FakeClock({ runs: true });
    writeFileSync(at('followed'), '{"a":1}');
    const { close, next } = await follow('followed', clock);
    const startedAt = clock.monotonic();
    // Looks that find nothing new are behind it.
    while (clock.monotonic() < startedAt + 10_000) await new Promise(setImmediate);
    replace('followed', '{"a":2}');
    const { value } = await next;
    expect(value).toMatchObject({ ordinal: 2, form: 'document' });
    expect(Buffer.from(value?.bytes ?? []).toString()).toBe('{"a":2}');
    await close();
  });

  test('fails when the file is gone', async () => {
    const clock = new FakeClock({ runs: true });
    writeFileSync(at('going'), '{}');
    const { next } = await follow('going', clock);
    rmSync(at('going'));
    await expect(next).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining(at('going')),
    });
  });

  test('ends when it is closed', async () => {
    writeFileSync(at('closing'), '{}');
    const { close, next } = await follow('closing', new FakeClock());
    await close();
    expect(await next).toMatchObject({ done: true });
  });
});

test('settings are strict', async () => {
  const issues = async (given: object) => (await fileSource.settings['~standard'].validate(given)).issues;
  expect(await issues({})).toBeDefined();
  expect(await issues({ path: 'a', maxbytes: 1 })).toBeDefined();
  expect(await issues({ path: '', maxBytes: 1 })).toBeDefined();
  expect(await issues({ path: 'a' })).toBeUndefined();
});
