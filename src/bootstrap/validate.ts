// Only for snapshots that no trusted key signed: they are judged again before anything is applied.
import { FallbackError } from '../errors/index.ts';
import type { RestoredSnapshot } from '../restore/candidate.ts';
import type { DocumentWorker } from '../snapshot/document-worker.ts';

/** Past this the worker is terminated: 1.3 million entities take it about 30 s. */
const DEADLINE_MS = 300_000;

export interface ValidateOptions {
  readonly worker: DocumentWorker;
  readonly now: number;
  readonly maxDocumentBytes: number;
  readonly signal: AbortSignal;
}

/** @throws FallbackError `corrupt` KF_DOCUMENT_REFUSED, and what reading the snapshot throws */
export async function validate(restored: RestoredSnapshot, options: ValidateOptions): Promise<void> {
  const { worker, now, maxDocumentBytes, signal } = options;
  const { cluster, gatewayVersion } = restored.head;
  const prepared = await worker.run(
    {
      form: 'document',
      bytes: await collect(restored.open({ signal })),
      fromControlPlane: true,
      cluster,
      gatewayVersion,
      now,
      maxDocumentBytes,
      compress: false,
    },
    { signal, deadlineMs: DEADLINE_MS },
  );
  const [first, ...more] = prepared.findings.filter(({ severity }) => severity === 'error');
  if (first === undefined) return;
  const others = more.length === 0 ? '' : `, and ${more.length} more`;
  throw new FallbackError(
    'corrupt',
    'KF_DOCUMENT_REFUSED',
    `the stored document would not load: ${first.message} [${first.code}]${others}`,
    {
      hint: 'An older snapshot is tried. Sign what is published: a signed snapshot was judged before it was stored.',
    },
  );
}

/** In one piece, as a parse needs it; the source is bounded by the length in the head. */
async function collect(body: AsyncIterable<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  const whole = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  return whole;
}
