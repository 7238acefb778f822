import { randomBytes } from 'node:crypto';
import { documentNumber } from './exported.ts';

/** A configuration that compresses to about so many MiB: certificates and keys are as random. */
export function largeDocument(mebibytes: number): Buffer {
  const table = JSON.parse(documentNumber(1).toString()) as object;
  const noise = Array.from({ length: mebibytes }, () => randomBytes(1_048_576).toString('base64'));
  return Buffer.from(JSON.stringify({ ...table, tags: noise }));
}
