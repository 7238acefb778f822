import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Lmdb } from '../../../src/kong/lmdb.ts';

const CAPTURES = {
  cold: '0'.repeat(32),
  warm: 'ce111cfab695166fc51ce9e8cb1905a0',
  wiped: '0'.repeat(32),
  large: 'e8122bb4ed03054f6b9d5280ed2176a9',
} as const;
type Capture = keyof typeof CAPTURES;

const LOOKUPS = {
  hash: { key: 'declarative_config:hash', database: '_default' },
  tag: { key: 'validation_tag' },
} as const;
const PAGE = 4096;

const bytesOf = (name: Capture): Buffer =>
  gunzipSync(readFileSync(new URL(`../../fixtures/captures/lmdb/${name}.mdb.gz`, import.meta.url)));

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'kongfallback-lmdb-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

type Read = { readonly hash?: Buffer; readonly tag?: Buffer };

/** What is found in a file with these bytes; the error's code where reading ends with one. */
async function read(bytes: Uint8Array, lookups: object = LOOKUPS): Promise<Read | string> {
  const path = join(directory, 'data.mdb');
  writeFileSync(path, bytes);
  const lmdb = await Lmdb.open(path);
  try {
    return (await lmdb?.read(lookups as typeof LOOKUPS)) as Read;
  } catch (error) {
    const { code, kind, message } = error as { code?: string; kind?: string; message?: string };
    if (code === undefined) throw error;
    expect(kind).toBe('corrupt');
    expect(message).toContain(path);
    return code;
  } finally {
    await lmdb?.close();
  }
}

const hashIn = (found: Read | string): string =>
  typeof found === 'string' ? found : (found.hash?.toString() ?? 'none');

describe('a file that is not as LMDB writes it', () => {
  it.each(Object.keys(CAPTURES) as Capture[])('%s, cut at any page or in its first ones', async (name) => {
    const bytes = bytesOf(name);
    const last = bytes.length / PAGE;
    const pages = Math.min(last, 64);
    const cuts = Array.from({ length: pages }, (_, i) => Math.floor((i * last) / pages) * PAGE);
    for (const cut of [...cuts, 1, 15, 100, 151, PAGE - 1, PAGE + 100]) {
      const found = await read(bytes.subarray(0, cut));
      // The pages on the way may all stand before the cut; then the value is right, and never another one.
      expect(['KF_LMDB_UNEXPECTED', CAPTURES[name]], `${name} cut at ${cut}`).toContain(hashIn(found));
      if (cut <= PAGE + 100) expect(found).toBe('KF_LMDB_UNEXPECTED');
    }
  });

  it.each<[string, (bytes: Buffer) => void]>([
    ['another magic number', (b) => b.writeUInt32LE(1, 16)],
    ['a later data version', (b) => b.writeUInt32LE(2, 20)],
    ['pages of no bytes', (b) => b.writeUInt32LE(0, 40)],
    ['pages of 4 GiB', (b) => b.writeUInt32LE(0xffff_ffff, 40)],
    ['pages of no power of two', (b) => b.writeUInt32LE(4097, 40)],
    ['meta pages that disagree', (b) => b.writeUInt32LE(8192, PAGE + 40)],
    ['integer keys', (b) => everyMeta(b, (at) => b.writeUInt16LE(8, at + 16 + 24 + 48 + 4))],
    ['a tree of 65,535 levels', (b) => everyMeta(b, (at) => b.writeUInt16LE(0xffff, at + 16 + 24 + 48 + 6))],
    ['a tree higher than it is', (b) => everyMeta(b, (at) => b.writeUInt16LE(9, at + 16 + 24 + 48 + 6))],
    [
      'a root beyond the end',
      (b) => everyMeta(b, (at) => b.writeBigUInt64LE(99999n, at + 16 + 24 + 48 + 40)),
    ],
    ['a root that no file can have', (b) => everyMeta(b, (at) => b.writeBigUInt64LE(1n << 63n, at + 128))],
    ['a meta page for a root', (b) => everyMeta(b, (at) => b.writeBigUInt64LE(1n, at + 128))],
  ])('%s', async (_, damage) => {
    const bytes = bytesOf('warm');
    expect(hashIn(await read(bytes))).toBe(CAPTURES.warm);
    damage(bytes);
    expect(await read(bytes)).toBe('KF_LMDB_UNEXPECTED');
  });

  it('a branch that leads to itself ends with the tree', async () => {
    const bytes = bytesOf('large');
    for (let page = 2; page * PAGE < bytes.length; page++) {
      const at = page * PAGE;
      if (bytes.readUInt16LE(at + 10) !== 1) continue;
      for (let node = at + 16; node < at + bytes.readUInt16LE(at + 12); node += 2) {
        bytes.writeUInt32LE(page, at + bytes.readUInt16LE(node));
        bytes.writeUInt16LE(0, at + bytes.readUInt16LE(node) + 4);
      }
    }
    expect(await read(bytes)).toBe('KF_LMDB_UNEXPECTED');
  });

  it('a value that claims a gigabyte is not read', async () => {
    const bytes = bytesOf('cold');
    everyPlace(bytes, 'validation_tag', (at) => bytes.writeUInt16LE(0x4000, at - 6));
    expect(await read(bytes)).toBe('KF_LMDB_UNEXPECTED');
  });

  it('a key that is a database, or the reverse, is neither', async () => {
    const bytes = bytesOf('warm');
    expect(await read(bytes, { hash: { key: 'x', database: 'validation_tag' } })).toBe('KF_LMDB_UNEXPECTED');
  });

  it('a folder, a link to nowhere, a text', async () => {
    mkdirSync(join(directory, 'folder'), { recursive: true });
    const folder = await Lmdb.open(join(directory, 'folder'));
    await expect(folder?.read(LOOKUPS)).rejects.toMatchObject({ code: 'KF_LMDB_UNEXPECTED' });
    await folder?.close();
    expect(await Lmdb.open(join(directory, 'nowhere/data.mdb'))).toBeUndefined();
    expect(await read(Buffer.alloc(2 * PAGE, 'text'))).toBe('KF_LMDB_UNEXPECTED');
    expect(await read(Buffer.alloc(0))).toBe('KF_LMDB_UNEXPECTED');
  });

  it('any damage: the value, no value or one error, and always an end', { timeout: 120_000 }, async () => {
    const captures = (['cold', 'warm', 'wiped'] as const).map(bytesOf);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(2),
        fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(255)), {
          minLength: 1,
          maxLength: 40,
        }),
        fc.boolean(),
        async (which, flips, inMetas) => {
          const bytes = Buffer.from(captures[which] ?? []);
          const reach = inMetas ? 2 * PAGE : bytes.length - 1;
          for (const [place, value] of flips) bytes[Math.floor(place * reach)] = value;
          const found = await read(bytes);
          if (typeof found === 'string') expect(found).toBe('KF_LMDB_UNEXPECTED');
          else expect(found.hash?.length ?? 0).toBeLessThanOrEqual(4096);
        },
      ),
      { numRuns: 1500 },
    );
  });

  it('every byte of headers and nodes, flipped', { timeout: 120_000 }, async () => {
    const bytes = bytesOf('cold');
    const harmful = new Set<string>();
    for (let at = 0; at < bytes.length; at++) {
      // Headers and trees stand at the beginning of a page, nodes at its end.
      if (at % PAGE > 160 && at % PAGE < PAGE - 100) continue;
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ 0xff;
      harmful.add(hashIn(await read(flipped)));
    }
    expect(harmful).toContain('KF_LMDB_UNEXPECTED');
    expect(harmful).toContain(CAPTURES.cold);
  });
});

describe("a real node's file", () => {
  it.each(Object.entries(CAPTURES) as [Capture, string][])('%s holds the hash %s', async (name, hash) => {
    const found = (await read(bytesOf(name))) as Read;
    expect(found.hash?.toString()).toBe(hash);
    expect(found.tag?.toString()).toBe('3.9');
  });

  it('the wiped one still has the old hash in a stale page, and it is not found', () => {
    expect(bytesOf('wiped').includes(CAPTURES.warm)).toBe(true);
  });

  it('has no value for keys and databases that are not there', async () => {
    const lookups = {
      before: { key: '\u0001' },
      after: { key: '~~~' },
      elsewhere: { key: 'declarative_config:hash' },
      nothing: { key: 'declarative_config:hash', database: 'nothing' },
    };
    expect(await read(bytesOf('large'), lookups)).toEqual({});
  });

  it('the older meta page is not followed, whichever of the two it is', async () => {
    const bytes = bytesOf('warm');
    const transactions = [0, PAGE].map((at) => bytes.readBigUInt64LE(at + 16 + 128));
    const newer = (transactions[0] ?? 0n) > (transactions[1] ?? 0n) ? 0 : PAGE;
    bytes.writeBigUInt64LE(0n, newer + 16 + 128);
    // An older state of the same node, with another tree: no configuration yet, or one that is reported as damaged.
    expect(hashIn(await read(bytes))).not.toBe(CAPTURES.warm);
  });
});

function everyMeta(bytes: Buffer, change: (at: number) => void): void {
  for (const at of [0, PAGE]) change(at);
  expect(bytes.length).toBeGreaterThan(2 * PAGE);
}

function everyPlace(bytes: Buffer, text: string, change: (at: number) => void): void {
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) change(at);
}
