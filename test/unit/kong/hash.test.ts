import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { readFrame } from '../../../src/kong/frame.ts';
import { configHashes, EMPTY_HASH, valueHash } from '../../../src/kong/hash.ts';
import { luaNumber } from '../../../src/kong/lua-number.ts';
import { recordedFrame } from '../../stand-in/frames.ts';

test('nesting without end is an error', () => {
  let deep: object = {};
  for (let i = 0; i < 100_000; i++) deep = [deep];
  expect(() => valueHash(deep)).toThrow(expect.objectContaining({ code: 'KF_HASH_TOO_DEEP' }));
});

describe("vectors of Kong's own 02-clustering_spec", () => {
  test('null', () => expect(valueHash(null)).toBe('5bf07a8b7343015026657d1108d8206e'));
  test.each([
    [{}, '2da3c26e4dbd6dd6ea3ab60a3dd7fb3e'],
    [{ routes: {}, services: {}, plugins: {} }, '81aac97a81ad03c0cf0b36663806488e'],
    [{ upstreams: {}, targets: {} }, '4d60dd9998ea4314039da5ca2f1db96f'],
  ])('%j', (table, expected) => expect(configHashes(table).config).toBe(expected));
  test('absent collections', () => expect(configHashes({}).routes).toBe(EMPTY_HASH));
});

describe('what a real 3.9.3 sent', () => {
  test.each([
    'control-plane/empty/frame-1',
    'control-plane/mixed/frame-1',
    'control-plane/mixed/frame-2',
    'control-plane/delta/frame-1',
    'control-plane/delta/frame-2',
    'control-plane/delta/frame-3',
    'control-plane/delta/frame-4',
    'control-plane/noping/frame-1',
    'control-plane/bulk15k/frame-1',
  ])('%s', (name) => {
    const frame = readFrame(recordedFrame(name));
    expect(configHashes(frame.table).config).toBe(frame.configHash);
    expect(configHashes(frame.table)).toEqual(frame.hashes);
  });
});

test.each([
  [0, '0'],
  [-0, '-0'],
  [1, '1'],
  [-7, '-7'],
  [1795259939, '1795259939'],
  [60000, '60000'],
  [99999999999999, '99999999999999'],
  [1e14, '1e+14'],
  [123456789012346, '1.2345678901235e+14'],
  [999999999999999, '1e+15'],
  [1e100, '1e+100'],
  [0.1, '0.1'],
  [0.1 + 0.2, '0.3'],
  [1795258925.626, '1795258925.626'],
  [0.0001, '0.0001'],
  [0.00001234, '1.234e-05'],
  [2.5e-7, '2.5e-07'],
  [1 / 3, '0.33333333333333'],
])('%d is written %s', (value, expected) => expect(luaNumber(value)).toBe(expected));

test('keys stand in the order of their bytes, not of UTF-16', () => {
  expect(valueHash({ '\u{1f600}': 1, '\uffee': 2 })).toBe(
    createHash('md5').update('\uffee:2;\u{1f600}:1;').digest('hex'),
  );
});

test.each([
  [[], '{}'],
  [[1, 'a', null, true, false], '1;a;/null/;true;false'],
  [[1, 2, 3, 4, 5, 6], '1;2;3;4;5;6;'],
  [{ b: [{}], a: [[1]] }, 'a:1;b:{};'],
])('%j is hashed as %s', (value, text) => {
  expect(valueHash(value)).toBe(createHash('md5').update(text).digest('hex'));
});
