// The main thread's half of a diff: two documents go into a thread of their own, a bounded answer comes out.
import { FallbackError } from '../errors/index.ts';
import { aborted, type Clock, withDeadline } from '../resilience/index.ts';
import { startWorker } from '../snapshot/document-worker.ts';
import type { PlainError } from '../snapshot/document-worker-job.ts';
import type { DiffOptions, SnapshotDiff } from './snapshot-diff.ts';

export interface DiffJob extends DiffOptions {
  readonly form: 'diff';
  /** Both are moved into the worker. */
  readonly from: Uint8Array<ArrayBuffer>;
  readonly to: Uint8Array<ArrayBuffer>;
  /** Bytes, of each. */
  readonly maxDocumentBytes: number;
}

export type DiffAnswer =
  | { readonly type: 'diff'; readonly diff: SnapshotDiff }
  | { readonly type: 'failed'; readonly error: PlainError };

export interface DiffWorkerOptions {
  readonly entryUrl: URL;
  readonly clock: Clock;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

const MIB = 1024 * 1024;
const BASE_HEAP_MIB = 128;
/** Each is parsed, which takes two to three times its size, and indexed by entity. */
const HEAP_PER_DOCUMENT_BYTE = 5;

/** @throws FallbackError what reading a document throws; `unavailable` KF_DIFF_FAILED, KF_DEADLINE_EXCEEDED; the abort */
export async function diffInWorker(
  job: DiffJob,
  { entryUrl, clock, deadlineMs, signal }: DiffWorkerOptions,
): Promise<SnapshotDiff> {
  if (signal.aborted) throw aborted(signal);
  const documentMib = Math.ceil((job.from.length + job.to.length) / MIB);
  const worker = startWorker(entryUrl, {
    name: 'diff',
    resourceLimits: { maxOldGenerationSizeMb: BASE_HEAP_MIB + HEAP_PER_DOCUMENT_BYTE * documentMib },
    stdout: true,
  });
  worker.stdout.resume();
  try {
    return await withDeadline(clock, deadlineMs, signal, 'the comparison', () => {
      const answered = new Promise<SnapshotDiff>((resolve, reject) => {
        worker.on('message', (answer: DiffAnswer) => {
          if (answer.type === 'diff') resolve(answer.diff);
          else reject(rebuilt(answer.error));
        });
        worker.on('error', (cause) => reject(failed(cause)));
        worker.on('exit', () => reject(failed(undefined)));
      });
      worker.postMessage(job, [job.from.buffer, job.to.buffer]);
      return answered;
    });
  } finally {
    void worker.terminate();
  }
}

function rebuilt({ kind, code, message, hint }: PlainError): FallbackError {
  return new FallbackError(kind, code, message, hint === undefined ? {} : { hint });
}

const failed = (cause: unknown): FallbackError =>
  new FallbackError(
    'unavailable',
    'KF_DIFF_FAILED',
    `the thread that compares the snapshots ended without an answer${cause instanceof Error ? `: ${cause.message}` : ''}`,
    {
      cause,
      hint: 'Two documents are held in memory at once, each two to three times its size: is there room?',
    },
  );
