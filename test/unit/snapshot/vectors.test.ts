import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../../../src/errors/index.ts';
import { Trust } from '../../../src/snapshot/keys.ts';
import { openSignedHead } from '../../../src/snapshot/signed-head.ts';
import { openByTheBook, readByTheBook } from './reference-reader.ts';
import { sha256 } from './sample-head.ts';
import { aesGcmWith, drained, inPieces, SIGNAL, sealingWith } from './streams.ts';

interface HeadVector {
  what: string;
  expect: string;
  cluster: string;
  gatewayVersion: string;
  publicKeys: string[];
  bytes: string;
  padding?: number;
  authenticated?: boolean;
  sequence?: number;
}

interface SnapshotVector {
  what: string;
  expect: string;
  context: string;
  keys: string[];
  bytes?: string;
  of?: string;
  slices?: [number, number][];
  append?: string;
  xor?: { at: number; with: number };
  opened?: string;
}

const root = new URL('../../fixtures/vectors/', import.meta.url);
const read = <T>(folder: string, name: string) =>
  JSON.parse(readFileSync(new URL(`${folder}/${name}.json`, root), 'utf8')) as T;
const vectors = <T extends { what: string }>(folder: string) =>
  readdirSync(new URL(`${folder}/`, root))
    .map((file) => file.replace('.json', ''))
    .map((name) => [name, read<T>(folder, name)] as const);

function bytesOf(vector: SnapshotVector): Buffer {
  if (vector.of === undefined) return Buffer.from(vector.bytes as string, 'base64');
  const base = bytesOf(read<SnapshotVector>('snapshots', vector.of));
  const parts = (vector.slices ?? []).map(([from, to]) => base.subarray(from, to));
  const bytes = Buffer.concat([...parts, Buffer.from(vector.append ?? '', 'base64')]);
  if (vector.xor !== undefined) bytes[vector.xor.at]! ^= vector.xor.with;
  return bytes;
}

describe('head vectors', () => {
  const all = vectors<HeadVector>('heads');

  it('are all there', () => expect(all.length).toBeGreaterThanOrEqual(45));

  it.each(all)('%s', (_, vector) => {
    const bytes = Buffer.concat([
      Buffer.from(vector.bytes, 'base64'),
      Buffer.alloc(vector.padding ?? 0, ' '),
    ]);
    const open = () => openSignedHead(bytes, vector, new Trust(vector.publicKeys), vector.what);
    if (vector.expect !== 'ok') return expect(open).toThrow(expect.objectContaining({ code: vector.expect }));
    const { head, authenticated } = open();
    expect({ authenticated, sequence: head.sequence }).toEqual({
      authenticated: vector.authenticated,
      sequence: vector.sequence,
    });
    const book = readByTheBook(bytes, vector.publicKeys);
    expect(book.head.sequence).toBe(vector.sequence);
    expect(book.signedBy > 0).toBe(vector.authenticated);
  });
});

describe('snapshot vectors', () => {
  const all = vectors<SnapshotVector>('snapshots');

  it('are all there', () => expect(all.length).toBeGreaterThanOrEqual(42));

  it.each(all)('%s', async (_, vector) => {
    const sealed = bytesOf(vector);
    const context = Buffer.from(vector.context, 'base64');
    const sealing = sealingWith(await aesGcmWith(...vector.keys));
    const options = { signal: SIGNAL, authenticated: true };
    const { bytes, error } = await drained(
      sealing.open(inPieces(sealed, [70_000, 1, 333]), 'envelope', context, options),
    );
    if (vector.expect !== 'ok') {
      expect(codeOf(error)).toBe(vector.expect);
      return;
    }
    expect(error).toBeUndefined();
    expect(sha256(bytes)).toBe(vector.opened);
    const keys = vector.keys.map((key) => Buffer.from(key, 'hex'));
    expect(openByTheBook(sealed, context, keys).equals(bytes)).toBe(true);
  });
});
