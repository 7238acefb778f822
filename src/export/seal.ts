// Step 3 of 4: compressed document → sealed bytes. After it, nothing readable leaves this process.
import { createHash } from 'node:crypto';
import { snapshotContext } from '../snapshot/context.ts';
import type { PreparedDocument } from '../snapshot/document-worker.ts';
import type { Sealing } from '../snapshot/sealing.ts';

export interface SealedDocument {
  /** `envelope`, or the name of an encryption plugin with a format of its own. */
  readonly encryption: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Of the sealed bytes; 64 hex. */
  readonly sha256: string;
}

export async function seal(
  sealing: Sealing,
  line: { readonly cluster: string; readonly gatewayVersion: string },
  prepared: PreparedDocument,
  signal: AbortSignal,
): Promise<SealedDocument> {
  if (prepared.compressed === null) throw new TypeError('a document is compressed before it is sealed');
  const context = snapshotContext({ ...line, documentSha256: prepared.sha256 });
  const { encryption, bytes } = await sealing.seal(prepared.compressed, context, { signal });
  return { encryption, bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
}
