import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { InstalledPlugins } from '../../../src/composition/plugin-catalogue.ts';
import type { PluginKind } from '../../../src/plugin/index.ts';

const FIXTURES = resolve('test/fixtures/plugins');
const plugins = new InstalledPlugins();
let base: string;
let cwd: string;

beforeEach(() => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'kf-plugins-')));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  base = join(root, 'etc');
  cwd = join(root, 'work');
  mkdirSync(base);
  mkdirSync(cwd);
});

const find = (kind: PluginKind, use: string) => plugins.resolve(kind, use, { baseDirectory: base, cwd });

/** An ESM-only package: no `main`, no `require` condition. */
function install(folder: string, name: string, { fixture = 'storage.mjs', manifest = {} } = {}): string {
  const place = join(folder, 'node_modules', name);
  mkdirSync(place, { recursive: true });
  cpSync(join(FIXTURES, fixture), join(place, 'main.mjs'));
  writeFileSync(
    join(place, 'package.json'),
    JSON.stringify({ name, type: 'module', exports: { import: './main.mjs' }, ...manifest }),
  );
  return pathToFileURL(join(place, 'main.mjs')).href;
}

describe('KF_PLUGIN_NOT_FOUND', () => {
  test('lists every place that was tried, in order', async () => {
    await expect(find('storage', 'ftp')).rejects.toMatchObject({
      kind: 'invalid',
      code: 'KF_PLUGIN_NOT_FOUND',
      message: [
        'storage plugin ftp was not found; tried:',
        '    built-in storage plugins (memory, file, s3)',
        `    package kongfallback-storage-ftp from ${base}`,
        `    package kongfallback-storage-ftp from ${cwd}`,
        '    package kongfallback-storage-ftp from this installation',
        `    package ftp from ${base}`,
        `    package ftp from ${cwd}`,
        '    package ftp from this installation',
        `    path ${join(base, 'ftp')}`,
      ].join('\n'),
      hint: expect.stringContaining('npm install kongfallback-storage-ftp'),
    });
  });

  test('of a path: only the path', async () => {
    await expect(find('storage', './gone.mjs')).rejects.toThrow(
      new RegExp(`tried:\n.*built-in.*\n    path ${join(base, 'gone.mjs')}$`),
    );
  });

  test.each([
    'fs',
    'node:fs',
    'toString',
    '__proto__',
    'constructor',
    '..',
    '%2e%2e',
    'data:text/javascript,1',
    'https://x/y.js',
  ])('%s finds nothing of the language or of the machine', async (use) => {
    await expect(find('storage', use)).rejects.toMatchObject({
      code: expect.stringMatching(/^KF_PLUGIN_(NOT_FOUND|INVALID)$/),
    });
  });
});

describe('KF_PLUGIN_INVALID says what is wrong', () => {
  test.each([
    ['throws.mjs', 'could not be imported: it does not start'],
    ['no-default.mjs', 'has no default export'],
    ['no-schema.mjs', 'has settings that are no Standard Schema'],
    ['no-kind.mjs', 'has no kind; expected one of storage, encryption, validator, source, target'],
    ['README.md', 'could not be imported'],
  ])('%s', async (name, message) => {
    await expect(find('storage', join(FIXTURES, name))).rejects.toMatchObject({
      kind: 'invalid',
      code: 'KF_PLUGIN_INVALID',
      message: expect.stringContaining(message),
    });
  });

  test('a folder', async () => {
    await expect(find('storage', FIXTURES)).rejects.toThrow('is a folder; name its main file');
  });

  test('a package that exports nothing at its root is named, not passed over', async () => {
    install(base, 'kongfallback-storage-sub', { manifest: { exports: { './sub': './main.mjs' } } });
    await expect(find('storage', 'sub')).rejects.toMatchObject({ code: 'KF_PLUGIN_INVALID' });
  });

  test('a missing dependency of the plugin', async () => {
    writeFileSync(join(base, 'needy.mjs'), "import 'not-installed-anywhere'; export default {}");
    await expect(find('storage', './needy.mjs')).rejects.toMatchObject({
      code: 'KF_PLUGIN_INVALID',
      message: expect.stringContaining('not-installed-anywhere'),
    });
  });
});

test('KF_PLUGIN_WRONG_KIND', async () => {
  await expect(find('validator', join(FIXTURES, 'storage.mjs'))).rejects.toMatchObject({
    code: 'KF_PLUGIN_WRONG_KIND',
    message: expect.stringContaining('is a plugin of kind storage, not validator'),
  });
});

test('an ESM-only package by its short name, by its own, scoped, and beside the working directory', async () => {
  const short = install(base, 'kongfallback-storage-web');
  const scoped = install(base, '@acme/stores');
  const beside = install(cwd, 'kongfallback-storage-beside');
  expect((await find('storage', 'web')).reference).toEqual({ kind: 'storage', use: 'web', url: short });
  expect((await find('storage', 'kongfallback-storage-web')).reference.url).toBe(short);
  expect((await find('storage', '@acme/stores')).reference.url).toBe(scoped);
  expect((await find('storage', 'beside')).reference.url).toBe(beside);
});

test("the settings file's folder comes before the working directory", async () => {
  const near = install(base, 'kongfallback-storage-both');
  install(cwd, 'kongfallback-storage-both');
  expect((await find('storage', 'both')).reference.url).toBe(near);
});

test.each(['./sub/plugin.mjs', 'sub/plugin.mjs'])('a path relative to the settings file: %s', async (use) => {
  mkdirSync(join(base, 'sub'));
  cpSync(join(FIXTURES, 'storage.mjs'), join(base, 'sub/plugin.mjs'));
  const url = pathToFileURL(join(base, 'sub/plugin.mjs')).href;
  expect((await find('storage', use)).reference.url).toBe(url);
  expect((await find('storage', url)).reference.url).toBe(url);
});

test('CommonJS as compilers write it', async () => {
  expect((await find('validator', join(FIXTURES, 'compiled.cjs'))).plugin.name).toBe('compiled');
});

test('a built-in wins over a package of its name, and a reference loads the same plugin again', async () => {
  install(base, 'memory');
  const { plugin, reference } = await find('storage', 'memory');
  expect(reference).toEqual({ kind: 'storage', use: 'memory', url: null });
  expect(await plugins.load(reference)).toBe(plugin);
  const foreign = await find('storage', join(FIXTURES, 'storage.mjs'));
  expect(await plugins.load(structuredClone(foreign.reference))).toBe(foreign.plugin);
  await expect(plugins.load({ kind: 'storage', use: 'gone', url: null })).rejects.toMatchObject({
    code: 'KF_PLUGIN_INVALID',
  });
});
