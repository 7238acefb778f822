import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { pluginContext } from '../../../src/composition/plugin-context.ts';
import { createPlugin } from '../../../src/composition/plugin-create.ts';
import { FallbackError } from '../../../src/errors/index.ts';
import type { Clock, Logger, Plugin, PluginContext, PluginKind } from '../../../src/plugin/index.ts';

const quiet = () => {};
const log: Logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const clock: Clock = { now: () => 0, monotonic: () => 0, sleep: async () => {} };
const dependencies = { cluster: 'production', folders: { baseDirectory: '/etc/kf', cwd: '/' }, log, clock };

const create = (kind: PluginKind, make: (settings: unknown, context: PluginContext) => unknown, more = {}) =>
  createPlugin(
    kind,
    {
      id: 'dr',
      use: 'x',
      plugin: { kind, name: 'x', create: make } as unknown as Plugin,
      settings: { a: 1 },
    },
    { ...dependencies, ...more },
  );

describe('creating', () => {
  test('a plugin that throws without a kind is invalid, not something to try again', async () => {
    const thrown = create('storage', () => {
      throw new TypeError('x is not a function');
    });
    await expect(thrown).rejects.toMatchObject({
      kind: 'invalid',
      code: 'KF_PLUGIN_INVALID',
      message: 'storage dr: plugin x could not be created: x is not a function',
    });
  });

  test('an error with a kind keeps it, also from another copy of this package', async () => {
    const foreign = Object.assign(new Error('no such bucket'), { kind: 'denied', code: 'KF_STORAGE_DENIED' });
    await expect(create('storage', () => Promise.reject(foreign))).rejects.toMatchObject({
      kind: 'denied',
      code: 'KF_STORAGE_DENIED',
      message: expect.stringContaining('storage dr'),
    });
  });

  test.each([
    ['storage', { get() {}, put() {}, list() {} }, 'get, put, list, delete'],
    ['encryption', { seal() {} }, 'seal, open or wrap, unwrap'],
    ['validator', undefined, 'validate'],
    ['target', null, 'apply'],
    ['source', 'a string', 'open'],
  ] as const)('an instance of kind %s without its methods', async (kind, instance, methods) => {
    await expect(create(kind, () => instance)).rejects.toMatchObject({
      code: 'KF_PLUGIN_INVALID',
      message: `${kind} dr: plugin x created something without the methods ${methods}`,
    });
  });

  test('either form of encryption will do', async () => {
    await expect(create('encryption', () => ({ wrap() {}, unwrap() {} }))).resolves.toBeDefined();
    await expect(create('encryption', () => ({ seal() {}, open() {} }))).resolves.toBeDefined();
  });

  test('settings, what the core adds to them, and the context arrive', async () => {
    let seen: unknown[] = [];
    const make = (settings: unknown, context: PluginContext) => {
      seen = [
        settings,
        context.id,
        context.cluster,
        context.baseDirectory,
        context.clock === clock,
        context.log === log,
      ];
      return { open() {} };
    };
    await create('source', make, { added: { controlPlane: { addresses: ['cp:8005'] } } });
    expect(seen).toEqual([
      { a: 1, controlPlane: { addresses: ['cp:8005'] } },
      'dr',
      'production',
      '/etc/kf',
      true,
      true,
    ]);
  });
});

describe('the context', () => {
  const contextIn = (baseDirectory: string) =>
    pluginContext({ ...dependencies, kind: 'storage', id: 'dr', folders: { baseDirectory, cwd: '/' } });

  test('errors carry kind, code, instance, hint and cause', () => {
    const cause = new Error('socket hang up');
    const error = contextIn('/').error('unavailable', 'no answer', { cause, hint: 'Wait.', retryAfterMs: 5 });
    expect(error).toBeInstanceOf(FallbackError);
    expect(error).toMatchObject({
      kind: 'unavailable',
      code: 'KF_STORAGE_UNAVAILABLE',
      message: 'storage dr: no answer',
      hint: 'Wait.',
      retryAfterMs: 5,
      cause,
    });
  });

  test('a kind that does not exist is unclassified', () => {
    expect(contextIn('/').error('fatal' as never, 'x')).toMatchObject({
      kind: 'unavailable',
      code: 'KF_PLUGIN_UNCLASSIFIED',
    });
  });

  test('a package that is missing: what to install, and where', async () => {
    await expect(contextIn('/etc/kf').import('@scope/sdk/sub/path')).rejects.toMatchObject({
      kind: 'invalid',
      code: 'KF_PLUGIN_MISSING_PACKAGE',
      message: 'storage dr needs the package @scope/sdk/sub/path, which is not installed',
      hint: expect.stringContaining('npm install @scope/sdk in'),
    });
  });

  test('a package that breaks while it is imported', async () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'kf-import-')));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    mkdirSync(join(folder, 'node_modules/broken'), { recursive: true });
    writeFileSync(
      join(folder, 'node_modules/broken/package.json'),
      '{"name":"broken","type":"module","exports":"./i.js"}',
    );
    writeFileSync(join(folder, 'node_modules/broken/i.js'), 'throw new Error("needs Node 30")');
    await expect(contextIn(folder).import('broken')).rejects.toMatchObject({
      code: 'KF_PLUGIN_MISSING_PACKAGE',
      message: expect.stringContaining('needs Node 30'),
    });
  });

  test('a package of this installation is found from anywhere', async () => {
    const { parse } = await contextIn('/').import<typeof import('yaml')>('yaml');
    expect(parse('a: 1')).toEqual({ a: 1 });
  });
});
