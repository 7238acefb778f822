import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

interface Script {
  cache(): { readonly file: string; readonly bytes: Buffer };
}
interface Bundle {
  load(name: string): Record<string, (...args: unknown[]) => unknown>;
  readonly scripts: readonly Script[];
}
const { bundleIn } = createRequire(import.meta.url)('../../../bin/load-bundle.cjs') as {
  bundleIn: (folder: string, options?: { useCache: boolean }) => Bundle;
};

const CLI = `
  exports.greet = (name) => 'hello ' + name;
  exports.sdk = () => require('./client-s3.cjs').answer;
  exports.foreign = (url) => require('./import-module.cjs').importModule(url);
  exports.place = () => __filename;
`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kongfallback-bundle-'));
  writeFileSync(join(folder, 'cli.cjs'), CLI);
  writeFileSync(join(folder, 'client-s3.cjs'), 'exports.answer = 42;');
  writeFileSync(join(folder, 'import-module.cjs'), 'exports.importModule = (url) => import(url);');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function writeCaches(): string {
  const { load, scripts } = bundleIn(folder, { useCache: false });
  load('cli.cjs')['sdk']?.();
  load('cli.cjs')['greet']?.('build');
  for (const { file, bytes } of scripts.map((script) => script.cache())) writeFileSync(file, bytes);
  return cacheOf('cli.cjs');
}

const cacheOf = (name: string): string => {
  const found = readdirSync(folder).find((file) => file.startsWith(`${name}.`) && file.endsWith('.cache'));
  if (found === undefined) throw new Error(`no cache of ${name}`);
  return join(folder, found);
};

function works(bundle: Bundle): void {
  expect(bundle.load('cli.cjs')['greet']?.('world')).toBe('hello world');
  expect(bundle.load('cli.cjs')['sdk']?.()).toBe(42);
}

describe('a bundle without a cache that fits', () => {
  it('is loaded as it is when there is none', () => {
    const bundle = bundleIn(folder);
    works(bundle);
    expect(bundle.scripts).toHaveLength(0);
  });

  it.each([
    ['empty', () => Buffer.alloc(0)],
    ['three bytes long', () => Buffer.alloc(3)],
    ['cut', (bytes: Buffer) => bytes.subarray(0, bytes.length - 10)],
    ['followed by more', (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(8)])],
    ['damaged in the middle', (bytes: Buffer) => flipped(bytes, bytes.length >> 1)],
    ['damaged at its end', (bytes: Buffer) => flipped(bytes, bytes.length - 1)],
  ])('is loaded as it is when the cache is %s', (_, spoil) => {
    const cache = writeCaches();
    writeFileSync(cache, spoil(readFileSync(cache)));
    const bundle = bundleIn(folder);
    works(bundle);
    expect(bundle.scripts).toHaveLength(0);
  });

  it('is loaded as it is when the cache is of another source of the same length', () => {
    writeCaches();
    writeFileSync(join(folder, 'cli.cjs'), CLI.replace('hello', 'howdy'));
    const bundle = bundleIn(folder);
    expect(bundle.load('cli.cjs')['greet']?.('world')).toBe('howdy world');
    expect(bundle.scripts).toHaveLength(0);
  });

  it('says what is wrong when a file of the bundle is missing', () => {
    rmSync(join(folder, 'cli.cjs'));
    expect(() => bundleIn(folder).load('cli.cjs')).toThrow(/Cannot find module .*cli\.cjs/);
  });
});

describe('a bundle with its cache', () => {
  it('runs out of the cache, the SDK out of its own', () => {
    writeCaches();
    const bundle = bundleIn(folder);
    works(bundle);
    expect(bundle.scripts).toHaveLength(2);
    expect(bundle.load('cli.cjs')['place']?.()).toBe(join(folder, 'cli.cjs'));
  });

  it('loads a module once', () => {
    writeCaches();
    const bundle = bundleIn(folder);
    expect(bundle.load('cli.cjs')).toBe(bundle.load('cli.cjs'));
  });

  it('imports foreign modules from the disk', async () => {
    writeCaches();
    const plugin = join(folder, 'plugin.mjs');
    writeFileSync(plugin, 'export default { kind: "storage" };');
    const bundle = bundleIn(folder);
    expect(await bundle.load('cli.cjs')['foreign']?.(`file://${plugin}`)).toMatchObject({
      default: { kind: 'storage' },
    });
  });

  it('holds no path of the machine that made it', () => {
    expect(readFileSync(writeCaches()).includes(folder)).toBe(false);
  });
});

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}
