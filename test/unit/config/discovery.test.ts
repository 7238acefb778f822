import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cosmiconfig } from 'cosmiconfig';
import { describe, expect, onTestFinished, test } from 'vitest';
import { discoverSettings } from '../../../src/config/discovery.ts';
import { folderWith } from './folder.ts';

const discover = (cwd: string, more: object = {}) =>
  discoverSettings({ cwd, etcDirectory: join(cwd, 'etc'), ...more });

const clusterOf = async (found: ReturnType<typeof discover>) => {
  const settings = await found;
  return settings?.assignments.find(({ path }) => path[0] === 'cluster')?.value;
};

/** Makes it the working directory of this process for one test, which is what cosmiconfig looks at. */
function workIn(folder: string): string {
  const before = process.cwd();
  process.chdir(folder);
  onTestFinished(() => process.chdir(before));
  return folder;
}

describe('a hostile working directory', () => {
  const trap = (marker: string) =>
    `require('node:fs').writeFileSync(${JSON.stringify(marker)}, 'executed');module.exports = { cosmiconfig: {} };`;

  test('the trap works: cosmiconfig by itself executes .config/config.cjs', async () => {
    const folder = folderWith();
    const marker = join(folder, 'executed');
    const trapped = workIn(folderWith({ '.config/config.cjs': trap(marker) }));
    await cosmiconfig('kongfallback', { searchPlaces: ['.kongfallbackrc'] }).search(trapped);
    expect(existsSync(marker)).toBe(true);
  });

  test('nothing in it is executed', async () => {
    const marker = join(folderWith(), 'executed');
    const code = trap(marker);
    const folder = workIn(
      folderWith({
        '.config/config.cjs': code,
        '.config/config.js': code,
        '.config/kongfallbackrc.cjs': code,
        '.kongfallbackrc.js': code,
        '.kongfallbackrc.cjs': code,
        '.kongfallbackrc.mjs': code,
        '.kongfallbackrc.ts': code,
        'kongfallback.config.js': code,
        'kongfallback.config.mjs': code,
        '.kongfallbackrc': 'cluster: mine',
      }),
    );
    expect(await clusterOf(discover(folder))).toBe('mine');
    expect(process.cwd()).toBe(folder);
    expect(existsSync(marker)).toBe(false);
  });

  test.each([
    ['.config/config.json', '{"cosmiconfig":{"searchPlaces":["theirs.json"],"mergeSearchPlaces":false}}'],
    ['.config/config.yaml', 'cosmiconfig: { searchPlaces: [theirs.json] }'],
    ['package.json', '{"cosmiconfig":{"searchPlaces":["theirs.json"]},"kongfallback":{"cluster":"theirs"}}'],
  ])('%s is not obeyed', async (name, text) => {
    const folder = workIn(
      folderWith({ [name]: text, 'theirs.json': '{"cluster":"theirs"}', '.kongfallbackrc': 'cluster: mine' }),
    );
    expect(await clusterOf(discover(folder))).toBe('mine');
  });

  test('$import is a value like any other', async () => {
    const folder = workIn(
      folderWith({
        '.kongfallbackrc': '$import: ./theirs.json\ncluster: mine',
        'theirs.json': '{"cluster":"theirs"}',
      }),
    );
    const found = await discover(folder);
    expect(found?.assignments.map(({ path, value }) => [path.join('.'), value])).toEqual([
      ['$import', './theirs.json'],
      ['cluster', 'mine'],
    ]);
  });

  test('the folder above is not searched', async () => {
    const folder = folderWith({ '.kongfallbackrc': 'cluster: above', 'below/nothing': '' });
    expect(await discover(join(folder, 'below'))).toBeUndefined();
  });
});

describe('a file that is there is never passed over', () => {
  test('a FIFO, which would hang a reader', async () => {
    const folder = folderWith({ 'etc/config.yaml': 'cluster: etc' });
    execFileSync('mkfifo', [join(folder, '.kongfallbackrc'), join(folder, 'named.yaml')]);
    await expect(discover(folder)).rejects.toMatchObject({ code: 'KF_SETTINGS_UNREADABLE' });
    await expect(discover(folder, { configPath: 'named.yaml' })).rejects.toMatchObject({
      code: 'KF_SETTINGS_UNREADABLE',
    });
  });

  test('a folder', async () => {
    const folder = folderWith({ '.kongfallbackrc/x': '' });
    await expect(discover(folder)).rejects.toThrow('is not a regular file');
  });

  test('more than 1 MiB', async () => {
    const text = `cluster: ${'x'.repeat(1_048_576)}`;
    const folder = folderWith({ '.kongfallbackrc': text, 'other.yaml': text });
    await expect(discover(folder)).rejects.toThrow('.kongfallbackrc is larger than 1048576 bytes');
    await expect(discover(folder, { configPath: 'other.yaml' })).rejects.toThrow(
      'is larger than 1048576 bytes',
    );
  });

  test.skipIf(process.getuid?.() === 0)('one that this user may not read', async () => {
    const folder = folderWith({ 'etc/config.yaml': 'cluster: etc' });
    writeFileSync(join(folder, '.kongfallbackrc'), 'cluster: mine', { mode: 0 });
    await expect(discover(folder)).rejects.toThrow('may not be read by this user');
  });

  test('an empty one, as a failed deployment leaves it', async () => {
    const folder = folderWith({ '.kongfallbackrc': '', 'etc/config.yaml': 'cluster: etc' });
    expect(await discover(folder)).toMatchObject({ path: join(folder, '.kongfallbackrc'), assignments: [] });
  });

  test('one that was named and does not exist', async () => {
    const folder = folderWith({ '.kongfallbackrc': 'cluster: mine' });
    await expect(discover(folder, { configPath: 'gone.yaml' })).rejects.toThrow(
      `the settings file ${join(folder, 'gone.yaml')}, named by --config, does not exist`,
    );
    await expect(discover(folder, { environmentPath: 'gone.yaml' })).rejects.toThrow(
      'named by KONGFALLBACK_CONFIG',
    );
  });
});

describe('code', () => {
  test.each(['a.cjs', 'a.ts', 'a.mts', 'a.cts'])('%s is refused even when it is named', async (name) => {
    const folder = folderWith({ [name]: 'export default { cluster: "code" }' });
    await expect(discover(folder, { configPath: name })).rejects.toMatchObject({ code: 'KF_SETTINGS_CODE' });
  });

  test('.mjs is run when --config names it, and only then', async () => {
    const folder = folderWith({
      'a.mjs': 'export default { cluster: "code", storages: [{ use: "memory" }] }',
    });
    expect(await clusterOf(discover(folder, { configPath: 'a.mjs' }))).toBe('code');
    await expect(discover(folder, { environmentPath: 'a.mjs' })).rejects.toMatchObject({
      code: 'KF_SETTINGS_CODE',
    });
  });

  test.each([
    ['throws', 'throw new Error("no")', 'could not be run: no'],
    ['exports nothing', 'export const x = 1', 'no default export'],
    ['exports a function', 'export default () => ({})', 'could not be run|no default export'],
    ['exports a cycle', 'const a = {}; a.a = a; export default a', 'could not be run'],
  ])('one that %s is refused', async (_, text, message) => {
    const folder = folderWith({ 'a.mjs': text });
    await expect(discover(folder, { configPath: 'a.mjs' })).rejects.toThrow(new RegExp(message));
  });
});

test('order: --config, KONGFALLBACK_CONFIG, the working directory, /etc', async () => {
  const folder = folderWith({
    'named.yaml': 'cluster: named',
    'environment.yaml': 'cluster: environment',
    '.kongfallbackrc.yaml': 'cluster: cwd',
    'etc/config.yaml': 'cluster: etc',
  });
  const both = { configPath: 'named.yaml', environmentPath: 'environment.yaml' };
  expect(await clusterOf(discover(folder, both))).toBe('named');
  expect(await clusterOf(discover(folder, { environmentPath: 'environment.yaml' }))).toBe('environment');
  expect(await clusterOf(discover(folder, { environmentPath: '' }))).toBe('cwd');
  expect(
    await clusterOf(discoverSettings({ cwd: join(folder, 'nowhere'), etcDirectory: join(folder, 'etc') })),
  ).toBe('etc');
});

test('two files in one folder: the first counts, and a warning names the other', async () => {
  const folder = folderWith({
    '.kongfallbackrc': 'cluster: first',
    '.kongfallbackrc.yaml': 'cluster: second',
  });
  const found = await discover(folder);
  expect(found?.path).toBe(join(folder, '.kongfallbackrc'));
  expect(found?.warnings).toMatchObject([{ code: 'KF_SETTINGS_SHADOWED' }]);
});
