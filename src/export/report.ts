import type { ReceivedConfiguration } from '../plugin/index.ts';
import type { Stopwatch } from '../resilience/index.ts';
import type { PreparedDocument } from '../snapshot/document-worker.ts';
import type { Candidate } from './decide.ts';
import { time } from './entry.ts';
import type { LineHeads } from './line-heads.ts';
import type { ExportOutcome } from './outcome.ts';
import type { StoreResult } from './publish.ts';

/** One configuration on its way through the pipeline, and what comes of it. */
export class Report {
  readonly gatewayVersion: string;
  readonly received: ReceivedConfiguration;
  candidate: Candidate;
  readonly prepared: PreparedDocument;
  readonly heads: LineHeads;
  readonly stopwatch: Stopwatch;
  /** Bytes; null while nothing was sealed. */
  sealedBytes: number | null = null;

  constructor(
    gatewayVersion: string,
    received: ReceivedConfiguration,
    candidate: Candidate,
    prepared: PreparedDocument,
    heads: LineHeads,
    stopwatch: Stopwatch,
  ) {
    this.gatewayVersion = gatewayVersion;
    this.received = received;
    this.candidate = candidate;
    this.prepared = prepared;
    this.heads = heads;
    this.stopwatch = stopwatch;
  }

  outcome(
    outcome: ExportOutcome['outcome'],
    sequence: number | null = null,
    stores: readonly StoreResult[] = [],
  ): ExportOutcome {
    const { candidate, gatewayVersion, prepared, sealedBytes, stopwatch } = this;
    return {
      gatewayVersion,
      outcome,
      sequence,
      configHash: prepared.configHash,
      counts: prepared.counts,
      documentBytes: prepared.length,
      sealedBytes,
      asOf: time(candidate.asOf),
      stores,
      findings: prepared.findings,
      timings: stopwatch.laps(),
    };
  }
}
