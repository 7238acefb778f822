// Step 2 of 4: received bytes → a validated, described, compressed document, in a worker thread.
import { peekFrame } from '../kong/frame.ts';
import type { ReceivedConfiguration } from '../plugin/source.ts';
import type { Clock } from '../resilience/index.ts';
import type { DocumentWorker, PreparedDocument } from '../snapshot/document-worker.ts';
import type { SnapshotEntry } from '../snapshot/head.ts';

export interface PrepareInput {
  readonly received: ReceivedConfiguration;
  readonly line: { readonly cluster: string; readonly gatewayVersion: string };
  /** What the newest head holds now. */
  readonly current: SnapshotEntry | undefined;
}

export type Prepare = (input: PrepareInput, signal: AbortSignal) => Promise<PreparedDocument>;

export interface PrepareOptions {
  readonly clock: Clock;
  readonly maxDocumentBytes: number;
  /** Milliseconds; past it the worker is terminated. */
  readonly deadlineMs: number;
}

export function prepareWith(worker: DocumentWorker, options: PrepareOptions): Prepare {
  return async ({ received, line, current }, signal) => {
    const known = current && recognise(received, current);
    if (known !== undefined) return known;
    const { clock, maxDocumentBytes, deadlineMs } = options;
    const { cluster, gatewayVersion } = line;
    const job = {
      form: received.form,
      bytes: received.bytes,
      fromControlPlane: received.fromControlPlane,
      cluster,
      gatewayVersion,
      ...(current && { previous: { counts: current.counts, configHash: current.configHash } }),
      now: clock.now(),
      maxDocumentBytes,
      compress: true,
    };
    return worker.run(job, { signal, deadlineMs });
  };
}

/**
 * The stored configuration sent again, told by its hash and length from the first kilobytes: nothing is inflated,
 * parsed or sealed for it. A control plane writes its keys in random order, so this cannot always tell.
 */
function recognise(received: ReceivedConfiguration, current: SnapshotEntry): PreparedDocument | undefined {
  if (received.form !== 'frame' || current.configHash === null) return undefined;
  const seen = peekFrame(received.bytes);
  if (seen.configHash !== current.configHash || seen.documentLength !== current.document.length)
    return undefined;
  return {
    compressed: null,
    sha256: current.document.sha256,
    length: current.document.length,
    configHash: current.configHash,
    hashes: current.hashes,
    timestamp: seen.timestamp ?? null,
    counts: current.counts,
    plugins: [...current.plugins],
    empty: false,
    loadableUntil: current.loadableUntil,
    findings: [],
    timings: { inflateMs: 0, parseMs: 0, validateMs: 0, compressMs: 0 },
  };
}
