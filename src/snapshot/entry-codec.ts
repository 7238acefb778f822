import type { RecordedFinding, SnapshotEntry } from './head.ts';
import type { JsonValue, StringRule } from './json-value.ts';
import { LIMITS } from './limits.ts';
import { refusedKey, snapshotKey } from './object-keys.ts';

export const NAME: StringRule = { max: LIMITS.name };
export const SENTENCE: StringRule = { min: 0, max: LIMITS.sentence };
export const SHA256: StringRule = { max: 64, pattern: /^[0-9a-f]{64}$/ };
export const CONFIG_HASH: StringRule = { max: 32, pattern: /^[0-9a-f]{32}$/ };
export const MAX_INTEGER = Number.MAX_SAFE_INTEGER;

/** Reads one entry (FORMAT.md §3.1). An unknown compression or encryption is left to whoever opens it. */
export function readEntry(value: JsonValue): SnapshotEntry {
  const sealed = value.member('sealed');
  const document = value.member('document');
  const sealedSha256 = sealed.member('sha256').string(SHA256);
  const documentSha256 = document.member('sha256').string(SHA256);
  const keys = [snapshotKey(documentSha256, sealedSha256), refusedKey(documentSha256, sealedSha256)];
  return {
    sequence: value.member('sequence').integer(1, MAX_INTEGER),
    key: value.member('key').oneOf(keys),
    sealed: {
      sha256: sealedSha256,
      length: sealed.member('length').integer(1, MAX_INTEGER),
      encryption: sealed.member('encryption').string(NAME),
    },
    document: {
      sha256: documentSha256,
      length: document.member('length').integer(1, MAX_INTEGER),
      compression: document.member('compression').string(NAME),
    },
    configHash: value.member('configHash').orNull((hash) => hash.string(CONFIG_HASH)),
    hashes: value
      .member('hashes')
      .orNull((hashes) => record(hashes, LIMITS.hashes, (hash) => hash.string({ min: 0, max: LIMITS.name }))),
    counts: record(value.member('counts'), LIMITS.counts, (count) => count.integer(0, MAX_INTEGER)),
    plugins: value
      .member('plugins')
      .items(0, LIMITS.plugins)
      .map((name) => name.string(NAME)),
    asOf: value.member('asOf').time(),
    exportedAt: value.member('exportedAt').time(),
    writer: value.member('writer').string(NAME),
    controlPlaneVersion: value.member('controlPlaneVersion').orNull((version) => version.string(NAME)),
    loadableUntil: value.member('loadableUntil').orNull((time) => time.time()),
    findings: readFindings(value.member('findings'), LIMITS.findings),
    accepted: value.member('accepted').orNull((accepted) => ({
      codes: accepted
        .member('codes')
        .items(0, LIMITS.acceptedCodes)
        .map((code) => code.string(NAME)),
      reason: accepted.member('reason').string(SENTENCE),
      by: accepted.member('by').string(NAME),
    })),
  };
}

/**
 * Members in the order of FORMAT.md, and no others. What a validator or an operator wrote too long is cut: it must
 * not keep a good configuration from being published.
 */
export function plainEntry(entry: SnapshotEntry): Record<string, unknown> {
  const { sealed, document, accepted } = entry;
  return {
    sequence: entry.sequence,
    key: entry.key,
    sealed: { sha256: sealed.sha256, length: sealed.length, encryption: sealed.encryption },
    document: { sha256: document.sha256, length: document.length, compression: document.compression },
    configHash: entry.configHash,
    hashes: entry.hashes,
    counts: entry.counts,
    plugins: entry.plugins,
    asOf: entry.asOf,
    exportedAt: entry.exportedAt,
    writer: entry.writer,
    controlPlaneVersion: entry.controlPlaneVersion,
    loadableUntil: entry.loadableUntil,
    findings: entry.findings.slice(0, LIMITS.findings).map(plainFinding),
    accepted: accepted && {
      codes: accepted.codes,
      reason: accepted.reason.slice(0, LIMITS.sentence),
      by: accepted.by,
    },
  };
}

const plainFinding = ({ code, severity, message }: RecordedFinding): RecordedFinding => ({
  code: code.slice(0, LIMITS.name),
  severity,
  message: message.slice(0, LIMITS.sentence),
});

function readFindings(value: JsonValue, max: number): RecordedFinding[] {
  return value.items(0, max).map((finding) => ({
    code: finding.member('code').string(NAME),
    severity: finding.member('severity').oneOf(['error', 'warning']),
    message: finding.member('message').string(SENTENCE),
  }));
}

function record<T>(value: JsonValue, max: number, read: (value: JsonValue) => T): Record<string, T> {
  return Object.fromEntries(value.members(max, LIMITS.name).map(([name, member]) => [name, read(member)]));
}
