import { describe, expect, it } from 'vitest';
import { TlsRecords } from '../../../../src/relay/tunnel/tls-records.ts';

const record = (type: number, length: number, version = 0x0303) =>
  Buffer.concat([
    Buffer.from([type, version >> 8, version & 255, length >> 8, length & 255]),
    Buffer.alloc(length, type),
  ]);

function read(bytes: Buffer, size: number) {
  const records = new TlsRecords();
  const seen: [number, number][] = [];
  let isTls = true;
  for (let at = 0; at < bytes.length; at += size) {
    isTls = records.read(bytes.subarray(at, at + size), (type, length) => seen.push([type, length]));
  }
  return { isTls, seen };
}

const stream = Buffer.concat([
  record(22, 512, 0x0301),
  record(20, 1),
  record(23, 0),
  record(23, 16_384 + 2048),
  record(21, 2),
]);

describe('records', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 511, 517, 518, 4096, 1 << 20])('in pieces of %i bytes', (size) => {
    expect(read(stream, size)).toEqual({
      isTls: true,
      seen: [
        [22, 512],
        [20, 1],
        [23, 0],
        [23, 18_432],
        [21, 2],
      ],
    });
  });

  it('told as soon as the header is there', () => {
    expect(read(record(23, 16_384).subarray(0, 5), 5).seen).toEqual([[23, 16_384]]);
    expect(read(record(23, 16_384).subarray(0, 4), 4).seen).toEqual([]);
  });
});

describe('no TLS', () => {
  it.each([
    ['type 19', record(19, 5)],
    ['type 25', record(25, 5)],
    ['major version 2', record(22, 5, 0x0200)],
    ['a record longer than there are', record(23, 16_384 + 2049)],
  ])('%s: nothing is told, nor of what follows', (_what, bytes) => {
    const both = Buffer.concat([bytes, record(23, 10)]);
    for (const size of [1, 5, both.length]) expect(read(both, size)).toEqual({ isTls: false, seen: [] });
  });
});
