// What is published: the tarball, installed as users install it, with plugins that know nothing of this repository.
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type StandInControlPlane, startStandInControlPlane } from '../stand-in/control-plane.ts';
import type { CliResult } from './cli.ts';
import { documentNumber, frameOf } from './exported.ts';
import { expectNoSecret, expectRefusal } from './refusal.ts';
import { Site } from './site.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PLUGINS = join(ROOT, 'test/fixtures/foreign-plugins');
const INSTALL = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'];
/** A tarball this large has something in it that does not belong there. */
const LARGEST_TARBALL_BYTES = 2 * 1024 * 1024;

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

let directory: string;
let packed: Packed;
let tarball: string;
let bin: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'kongfallback-packed-'));
  // `npm run test:e2e` has built everything. The bundle is never built here: other tests are running it.
  if (!existsSync(join(ROOT, 'dist/src/plugin/index.js'))) {
    await run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], {
      cwd: ROOT,
    });
  }
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', directory];
  const { stdout } = await run('npm', args, { cwd: ROOT, maxBuffer: 16 * 1024 * 1024 });
  [packed] = JSON.parse(stdout) as [Packed];
  tarball = join(directory, packed.filename);
  console.log(`tarball: ${packed.size} bytes, ${packed.unpackedSize} unpacked, ${packed.files.length} files`);
  await run('npm', [...INSTALL, '--global', '--prefix', join(directory, 'global'), tarball], {
    cwd: directory,
  });
  bin = join(directory, 'global/bin/kongfallback');
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('the tarball', () => {
  it('has no tests, fixtures, sources or source maps, and is small', () => {
    const paths = packed.files.map(({ path }) => path);
    expect(paths.length).toBeGreaterThan(10);
    const surplus = paths.filter((path) =>
      /(^|\/)(test|fixtures|captures|examples|node_modules)\//.test(path),
    );
    expect(surplus).toEqual([]);
    expect(paths.filter((path) => /\.map$|\.test\.|\.tsbuildinfo$|(?<!\.d)\.ts$/.test(path))).toEqual([]);
    expect(packed.size).toBeLessThan(LARGEST_TARBALL_BYTES);
  });

  it('has what package.json names, and what its texts refer to', () => {
    const paths = new Set(packed.files.map(({ path }) => path));
    const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      bin: Record<string, string>;
      exports: Record<string, string | Record<string, string>>;
    };
    const named = Object.entries(manifest.exports).flatMap(([name, entry]) =>
      (typeof entry === 'string' ? [entry] : [entry['types'], entry['default']]).map((path) => ({
        name,
        path: path?.replace('./', '') ?? '',
      })),
    );
    const missing = named.filter(({ path }) => !paths.has(path)).map(({ name }) => name);
    expect([...new Set(missing)]).toEqual([]);
    for (const path of Object.values(manifest.bin)) expect(paths).toContain(path);
    for (const name of ['LICENSE', 'README.md', 'src/errors/README.md', '.kongfallbackrc.example']) {
      expect(paths).toContain(name);
    }
  });
});

describe('installed globally', () => {
  let site: Site;
  let controlPlane: StandInControlPlane;

  beforeEach(async () => {
    site = new Site();
    controlPlane = await startStandInControlPlane({ certificate: site.certificate });
    site.pointAt(controlPlane.port);
  });
  afterEach(async () => {
    await controlPlane.close();
    site.remove();
  });

  const cli = (args: readonly string[]): Promise<CliResult> => site.run(args, { bin });

  async function exportAndBootstrap(): Promise<void> {
    controlPlane.setFrame(frameOf(documentNumber(1), 60));
    const exported = await cli(['export', '--once', '--json']);
    expect(exported.code, exported.stderr).toBe(0);
    expect(exported.json()).toMatchObject({ lines: [{ outcome: 'published' }] });
    await controlPlane.close();
    const bootstrapped = await cli(['bootstrap', '--once', '--json']);
    expect(bootstrapped.code, bootstrapped.stderr).toBe(0);
    expect(bootstrapped.json()).toMatchObject({ origin: 'storage' });
    expect(readFileSync(site.target).equals(documentNumber(1))).toBe(true);
    for (const result of [exported, bootstrapped]) expectNoSecret(result, site.secrets);
  }

  it('tells its version and the settings', async () => {
    expect(await cli(['--version'])).toMatchObject({ code: 0, stderr: '' });
    const config = await cli(['config', '--all']);
    expect(config.code, config.stderr).toBe(0);
    expect(config.stdout).toMatch(/cluster +"e2e" +file/);
    expectNoSecret(config, site.secrets);
  });

  it('exports and bootstraps with what is built in', exportAndBootstrap);

  it('exports and bootstraps with an ESM-only package beside the settings file', async () => {
    const name = 'kongfallback-storage-folder';
    cpSync(join(PLUGINS, name), join(site.directory, 'node_modules', name), { recursive: true });
    site.configure({ storages: [{ use: 'folder', folder: site.store }] });
    await exportAndBootstrap();
  });

  it('exports and bootstraps with plugins that are paths outside any package', async () => {
    mkdirSync(join(site.directory, 'plugins'));
    const own = join(site.directory, 'plugins');
    cpSync(join(PLUGINS, 'kongfallback-storage-folder/folder.js'), join(own, 'my-store.mjs'));
    cpSync(join(PLUGINS, 'no-tags.mjs'), join(own, 'no-tags.mjs'));
    site.configure({
      storages: [{ use: './plugins/my-store.mjs', folder: site.store }],
      validators: ['kong-schema', { use: './plugins/no-tags.mjs', tag: 'change-2' }],
    });
    await exportAndBootstrap();

    controlPlane = await startStandInControlPlane({ certificate: site.certificate });
    site.pointAt(controlPlane.port);
    site.configure({
      storages: [{ use: './plugins/my-store.mjs', folder: site.store }],
      validators: ['kong-schema', { use: './plugins/no-tags.mjs', tag: 'change-2' }],
    });
    controlPlane.setFrame(frameOf(documentNumber(2), 0));
    const refused = await cli(['export', '--once']);
    expect(refused.code, refused.stderr).toBe(20);
    expect(refused.stdout).toMatch(/warning: looked at in a worker/);
    expect(refused.stdout).toMatch(/error: the tag change-2 is there .*\n +hint: Remove the tag/);
  });

  it('says where it looked for a plugin that is nowhere', async () => {
    site.configure({ storages: [{ use: 'folder', folder: site.store }] });
    await expectRefusal(
      site,
      ['export', '--once'],
      { exit: 2, code: 'KF_PLUGIN_NOT_FOUND', names: /kongfallback-storage-folder/ },
      { bin },
    );
  });
});

describe('installed in a folder', () => {
  it('the example of a storage plugin passes its kit', async () => {
    const folder = join(directory, 'custom-storage');
    cpSync(join(ROOT, 'examples/custom-storage'), folder, { recursive: true });
    rmSync(join(folder, 'node_modules'), { recursive: true, force: true });
    await run('npm', [...INSTALL, '--save-dev', tarball], { cwd: folder });
    const { stdout } = await run(process.execPath, ['--test', '--test-reporter=tap'], { cwd: folder });
    expect(stdout).toMatch(/^# pass [1-9]\d+$/m);
    expect(stdout).toMatch(/^# fail 0$/m);
  });

  it('TypeScript finds the types of what a plugin author imports', async () => {
    const folder = join(directory, 'custom-storage');
    const right = [
      "import { definePlugin, type ObjectStore } from 'kongfallback/plugin';",
      "import { storageContract } from 'kongfallback/testing';",
      'export const store: ObjectStore | undefined = undefined;',
      'export const used = [definePlugin, storageContract];',
    ];
    writeFileSync(join(folder, 'right.mts'), right.join('\n'));
    writeFileSync(
      join(folder, 'wrong.mts'),
      [...right, 'export const wrong: ObjectStore = { get: 1 };'].join('\n'),
    );
    const strict = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022'];
    const check = (file: string) =>
      run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), ...strict, file], {
        cwd: folder,
      });
    await check('right.mts');
    await expect(check('wrong.mts')).rejects.toMatchObject({
      stdout: expect.stringContaining("'number' is not assignable"),
    });
  });
});
