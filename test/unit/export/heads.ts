import type { Head, SnapshotEntry } from '../../../src/snapshot/head.ts';

/** 2026-11-21T12:00:00Z; tests count milliseconds from here. */
export const T0 = Date.parse('2026-11-21T12:00:00.000Z');
export const at = (ms: number): string => new Date(T0 + ms).toISOString();

const digest = (letter: string): string => letter.repeat(64);

/** An entry whose content is named by one hex letter. */
export function entry(letter: string, asOfMs: number, over: Partial<SnapshotEntry> = {}): SnapshotEntry {
  return {
    sequence: 1,
    key: `snapshots/${letter.repeat(16)}-${letter.repeat(16)}.kfs`,
    sealed: { sha256: digest(letter), length: 100, encryption: 'none' },
    document: { sha256: digest(letter), length: 1000, compression: 'gzip' },
    configHash: letter.repeat(32),
    hashes: null,
    counts: { services: 30 },
    plugins: [],
    asOf: at(asOfMs),
    exportedAt: at(asOfMs),
    writer: 'test',
    controlPlaneVersion: null,
    loadableUntil: null,
    findings: [],
    accepted: null,
    ...over,
  };
}

export function head(letter: string, asOfMs: number, over: Partial<Head> = {}): Head {
  return {
    format: 'kongfallback-head/1',
    cluster: 'test',
    gatewayVersion: '3.9.3',
    sequence: 1000,
    writer: 'other',
    nonce: letter.repeat(32),
    aliveAt: at(asOfMs),
    confirmedAt: at(asOfMs),
    controlPlane: { state: 'up', since: at(0) },
    hold: null,
    entries: [entry(letter, asOfMs)],
    delisted: [],
    ...over,
  };
}
