import type { ResourceLimits } from 'node:worker_threads';
import type { DocumentJob } from './document-worker-job.ts';

const MIB = 1024 * 1024;

/**
 * Heap of the worker in MiB: modules and validators, then a multiple of the document for its text, its parsed
 * table and the built-in validators' indexes. Those need 100 MiB at 100,000 entities (38 MiB of JSON) and 800 at
 * a million, measured by lowering the ceiling until it broke; the rest is for validators of others.
 */
const BASE_HEAP_MIB = 128;
const HEAP_PER_DOCUMENT_BYTE = 5;

/**
 * JSON.parse makes nothing but survivors: with room for them the young generation is collected less often, which
 * saves 7 % of the CPU at 100,000 entities and costs 20 MB.
 */
const YOUNG_HEAP_MIB = 128;

/** Ceilings, not allocations: a job that needs more ends as one failed job instead of a dead process. */
export function resourceLimits(
  job: Pick<DocumentJob, 'bytes' | 'form' | 'maxDocumentBytes'>,
): ResourceLimits {
  const documentMib = Math.ceil(documentLength(job) / MIB);
  return {
    maxOldGenerationSizeMb: BASE_HEAP_MIB + HEAP_PER_DOCUMENT_BYTE * documentMib,
    maxYoungGenerationSizeMb: YOUNG_HEAP_MIB,
  };
}

/**
 * What the bytes will be when inflated, never above what the job admits. The last four bytes of gzip hold it
 * (RFC 1952 §2.3.1); a sender that lies there gets a smaller heap, which ends its own job.
 */
function documentLength({
  bytes,
  form,
  maxDocumentBytes,
}: Pick<DocumentJob, 'bytes' | 'form' | 'maxDocumentBytes'>): number {
  if (form === 'document') return Math.min(bytes.length, maxDocumentBytes);
  if (bytes.length < 18 || bytes[0] !== 0x1f || bytes[1] !== 0x8b) return maxDocumentBytes;
  const inflated = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(
    bytes.length - 4,
    true,
  );
  return Math.min(Math.max(inflated, bytes.length), maxDocumentBytes);
}
