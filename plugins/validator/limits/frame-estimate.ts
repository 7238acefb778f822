import { gzipSync } from 'node:zlib';

const SLICES = 32;
const SLICE_BYTES = 16 * 1024;
/** What Kong compresses its frames with: zlib's own default (kong/clustering/utils.lua at 3.9.1, deflate_gzip). */
const LEVEL = 6;

/**
 * About how many bytes the control plane's frame has: a sample from the whole length of the document, compressed as
 * Kong does. Collections differ much (10.7:1 for routes and plugins, 3.1:1 for consumers with keys), so a fixed ratio
 * would be wrong by that much.
 */
export function estimatedFrameBytes(document: Uint8Array): number {
  if (document.length <= SLICES * SLICE_BYTES) return compressed(document);
  const step = (document.length - SLICE_BYTES) / (SLICES - 1);
  const slices = Array.from({ length: SLICES }, (_, at) => {
    const from = Math.floor(at * step);
    return document.subarray(from, from + SLICE_BYTES);
  });
  const sample = Buffer.concat(slices);
  return Math.round((compressed(sample) / sample.length) * document.length);
}

const compressed = (bytes: Uint8Array): number => gzipSync(bytes, { level: LEVEL }).length;
