import type { Finding } from '../plugin/validator.ts';
import type { PreparedDocument } from '../snapshot/document-worker.ts';
import type { SnapshotEntry } from '../snapshot/head.ts';
import { snapshotKey } from '../snapshot/object-keys.ts';
import type { SealedDocument } from './seal.ts';

const MAX_FINDINGS = 50;

export interface EntryFacts {
  readonly prepared: PreparedDocument;
  readonly sealed: SealedDocument;
  /** Milliseconds since 1970, store's clock. */
  readonly asOf: number;
  readonly exportedAt: number;
  readonly writer: string;
  readonly accepted: SnapshotEntry['accepted'];
}

/** The head's description of one snapshot (FORMAT.md §3.1); its sequence is given when the head is built. */
export function describeEntry(facts: EntryFacts): Omit<SnapshotEntry, 'sequence'> {
  const { prepared, sealed } = facts;
  return {
    key: snapshotKey(prepared.sha256, sealed.sha256),
    sealed: { sha256: sealed.sha256, length: sealed.bytes.length, encryption: sealed.encryption },
    document: { sha256: prepared.sha256, length: prepared.length, compression: 'gzip' },
    configHash: prepared.configHash,
    hashes: prepared.hashes,
    counts: prepared.counts,
    plugins: prepared.plugins,
    asOf: time(facts.asOf),
    exportedAt: time(facts.exportedAt),
    writer: facts.writer,
    controlPlaneVersion: null,
    loadableUntil: prepared.loadableUntil,
    findings: prepared.findings.slice(0, MAX_FINDINGS).map(brief),
    accepted: facts.accepted,
  };
}

export const brief = ({ code, severity, message }: Finding): SnapshotEntry['findings'][number] => ({
  code,
  severity,
  message,
});

/** As FORMAT.md §3 writes times. */
export const time = (ms: number): string => new Date(ms).toISOString();
