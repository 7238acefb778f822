// A cache folder that somebody else can write to as well.
import { spawnSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SnapshotCache } from '../../../src/restore/cache.ts';
import { FakeClock } from '../../../src/testing/fake-clock.ts';
import { errorOf, LINE, sampleEntry, sha256 } from '../snapshot/sample-head.ts';

let directory: string;
let outside: string;
let line: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kongfallback-hostile-'));
  outside = join(directory, 'outside');
  mkdirSync(outside);
  line = join(directory, 'cache', LINE.cluster, LINE.gatewayVersion);
});
afterEach(() => rmSync(directory, { recursive: true }));

const prepared = async () => {
  const cache = new SnapshotCache(join(directory, 'cache'), LINE, new FakeClock(), directory);
  await cache.prepare();
  return cache;
};
const bytes = Buffer.from('sealed');
const entry = sampleEntry();

async function* once(body: Uint8Array): AsyncGenerator<Uint8Array> {
  yield body;
}

describe('what is no file of ours is not read, and nobody waits for it', () => {
  it.each<[string, (path: string) => unknown]>([
    ['a named pipe', (path) => spawnSync('mkfifo', [path])],
    ['a link to a device without end', (path) => symlinkSync('/dev/zero', path)],
    ['a link to a file elsewhere', (path) => symlinkSync(join(outside, 'theirs'), path)],
    ['a folder', (path) => mkdirSync(path)],
    ['a large file', (path) => writeFileSync(path, Buffer.alloc(3 * 1024 * 1024))],
  ])('%s', async (_, plant) => {
    writeFileSync(join(outside, 'theirs'), '{"sequence":1}');
    mkdirSync(line, { recursive: true });
    for (const name of ['head.json', 'ratchet.json']) plant(join(line, name));
    const cache = await prepared();
    expect(await cache.readHead()).toBeUndefined();
    expect(await cache.readRatchet()).toBeUndefined();
    expect(cache.findings.map(({ code }) => code)).toEqual(['cache/unreadable']);
  });
});

describe('nothing is written elsewhere', () => {
  it("the line's folder is a link: it is not used, and a finding says so", async () => {
    mkdirSync(join(line, '..'), { recursive: true });
    symlinkSync(outside, line);
    const cache = await prepared();
    expect(cache.findings.map(({ code }) => code)).toEqual(['cache/unusable']);
    const path = await cache.keep(entry, once(bytes));
    expect(path.startsWith(line)).toBe(false);
    await cache.raiseRatchet(7);
    await cache.remember(bytes, entry);
    await cache.close();
    expect(readdirSync(outside)).toEqual([]);
  });

  it('links in place of files are replaced and not followed', async () => {
    writeFileSync(join(outside, 'theirs'), 'as it was');
    mkdirSync(line, { recursive: true });
    const name = entry.key.slice('snapshots/'.length);
    for (const file of ['head.json', 'ratchet.json', name])
      symlinkSync(join(outside, 'theirs'), join(line, file));
    const cache = await prepared();
    await cache.keep(entry, once(bytes));
    await cache.raiseRatchet(7);
    await cache.remember(bytes, entry);
    expect(readFileSync(join(outside, 'theirs'), 'utf8')).toBe('as it was');
    expect(['head.json', 'ratchet.json', name].map((file) => lstatSync(join(line, file)).isFile())).toEqual([
      true,
      true,
      true,
    ]);
    expect(await cache.readRatchet()).toBe(7);
  });
});

describe('names that would leave the folder', () => {
  it.each([
    ['..', '3.9.3'],
    ['../../etc', '3.9.3'],
    ['/etc', '3.9.3'],
    ['a\0b', '3.9.3'],
    ['a\n', '3.9.3'],
    ['production', '../3.9.3'],
    ['production', '3.9.3/..'],
    ['production', '3.9.3\n'],
  ])('%j %j are refused', async (cluster, gatewayVersion) => {
    const make = () => new SnapshotCache(directory, { cluster, gatewayVersion }, new FakeClock(), directory);
    expect(await errorOf(make)).toMatchObject({ kind: 'invalid', code: 'KF_LINE_INVALID' });
  });

  it('a key of an entry never leads out: its last part alone counts', async () => {
    const cache = await prepared();
    const evil = {
      ...entry,
      key: '../../../outside/evil.kfs',
      sealed: { ...entry.sealed, sha256: sha256(bytes), length: bytes.length },
    };
    const path = await cache.keep(evil, once(bytes));
    expect(path).toBe(join(line, 'evil.kfs'));
    expect(readdirSync(outside)).toEqual([]);
  });
});
