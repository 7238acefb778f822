import { classify } from '../errors/index.ts';
import type { Finding, Logger } from '../plugin/index.ts';
import { encodeSigned } from '../snapshot/dsse.ts';
import type { SnapshotEntry } from '../snapshot/head.ts';
import type { Signer } from '../snapshot/keys.ts';
import { REFUSED_PAYLOAD_TYPE, refusedKey } from '../snapshot/object-keys.ts';
import { brief, time } from './entry.ts';
import type { LineReading } from './line-heads.ts';
import type { HeadFacts } from './next-head.ts';
import type { SealedDocument } from './seal.ts';

const KEPT = 5;
const MAX_FINDINGS = 200;

export interface Refusal {
  readonly entry: Omit<SnapshotEntry, 'sequence'>;
  readonly sealed: SealedDocument;
  readonly findings: readonly Finding[];
  readonly facts: HeadFacts;
  readonly readings: readonly LineReading[];
  readonly signers: readonly Signer[];
  readonly log: Logger;
}

/**
 * Puts a refused configuration aside, sealed, for whoever has to find out what was wrong with it (FORMAT.md §6).
 * The newest 5 are kept, each document once. Never fails the export: the refusal itself is the news.
 */
export async function keepRefused(refusal: Refusal, signal: AbortSignal): Promise<void> {
  for (const { store } of refusal.readings) {
    try {
      await keepIn(store, refusal, signal);
    } catch (thrown) {
      const error = classify(thrown, `storage ${store.id}: keep a refused configuration`);
      if (error.kind === 'aborted') throw error;
      refusal.log.warn({ event: 'refused.not-kept', store: store.id, code: error.code }, error.message);
    }
  }
}

async function keepIn(store: LineReading['store'], refusal: Refusal, signal: AbortSignal): Promise<void> {
  const { entry, sealed, facts, signers } = refusal;
  const kept = await store.listRefused({ signal });
  const documentPart = entry.document.sha256.slice(0, 16);
  if (kept.some(({ key }) => key.includes(`/${documentPart}-`))) return;

  const key = refusedKey(entry.document.sha256, sealed.sha256);
  const record = {
    format: 'kongfallback-refused/1',
    cluster: facts.cluster,
    gatewayVersion: facts.gatewayVersion,
    refusedAt: time(facts.now),
    writer: facts.writer,
    entry: { ...entry, key, sequence: facts.sequence },
    findings: refusal.findings.slice(0, MAX_FINDINGS).map(brief),
  };
  await store.putRefused(key, sealed.bytes, { signal });
  const envelope = encodeSigned(REFUSED_PAYLOAD_TYPE, Buffer.from(JSON.stringify(record)), signers);
  await store.putRefused(key.replace(/\.kfs$/, '.json'), envelope, { signal });

  const oldestFirst = kept
    .filter((info) => info.key.endsWith('.kfs'))
    .sort((a, b) => (a.modifiedAt?.getTime() ?? 0) - (b.modifiedAt?.getTime() ?? 0));
  for (const { key: old } of oldestFirst.slice(0, Math.max(0, oldestFirst.length + 1 - KEPT))) {
    await store.deleteRefused(old, { signal });
    await store.deleteRefused(old.replace(/\.kfs$/, '.json'), { signal });
  }
}
