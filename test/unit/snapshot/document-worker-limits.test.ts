import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { resourceLimits } from '../../../src/snapshot/document-worker-limits.ts';

const MIB = 1024 * 1024;
const heapOf = (
  bytes: Uint8Array<ArrayBuffer>,
  form: 'frame' | 'document' = 'frame',
  maxDocumentBytes = 64 * MIB,
) => resourceLimits({ bytes, form, maxDocumentBytes }).maxOldGenerationSizeMb;

describe('the heap of a worker', () => {
  it('never follows a length above what the job admits', () => {
    const frame = new Uint8Array(gzipSync(Buffer.alloc(100)));
    new DataView(frame.buffer).setUint32(frame.length - 4, 0xffffffff, true);
    expect(heapOf(frame)).toBe(heapOf(new Uint8Array(64 * MIB), 'document'));
  });

  it.each([
    ['no gzip', new Uint8Array(100).fill(7)],
    ['nothing', new Uint8Array(0)],
    ['a cut header', new Uint8Array([0x1f, 0x8b, 8])],
  ])('is that of the largest document for %s', (_name, bytes) => {
    expect(heapOf(bytes)).toBe(heapOf(new Uint8Array(64 * MIB), 'document'));
  });

  it('grows with what the frame says it holds', () => {
    const small = heapOf(new Uint8Array(gzipSync(Buffer.alloc(1000)))) as number;
    const large = heapOf(new Uint8Array(gzipSync(Buffer.alloc(30 * MIB)))) as number;
    expect(large - small).toBeGreaterThanOrEqual(29 * 4);
    expect(large).toBe(heapOf(new Uint8Array(30 * MIB), 'document'));
  });
});
