import { describe, expect, it } from 'vitest';
import { isSameSnapshot, olderHashes } from '../../../../src/relay/copy/freshness.ts';
import type { Hold, SnapshotEntry } from '../../../../src/snapshot/head.ts';
import { sampleEntry, sampleHead } from '../../snapshot/sample-head.ts';

const entry = (name: string, configHash: string | null = name): SnapshotEntry =>
  sampleEntry({ key: `snapshots/${name}.kfs`, configHash });
const hold = (...rejected: (string | null)[]): Hold => ({
  target: 'a'.repeat(64),
  rejected: rejected.map((configHash) => ({ configHash, documentLength: 1, documentSha256: 'b'.repeat(64) })),
  by: 'ops',
  reason: 'broken',
  since: '2026-11-21T11:02:05.000Z',
  until: null,
});
const older = (entries: SnapshotEntry[], used: number, held: Hold | null = null) =>
  [...olderHashes(sampleHead({ entries, hold: held }), entries[used] as SnapshotEntry)].sort();

describe('hashes that data planes are brought away from', () => {
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => entry(name)) as [
    SnapshotEntry,
    SnapshotEntry,
    SnapshotEntry,
    SnapshotEntry,
  ];

  it.each<[string, SnapshotEntry[], number, Hold | null, string[]]>([
    ['those below the current', [a, b, c], 0, null, ['b', 'c']],
    ['none below the last', [a, b, c], 2, null, []],
    ['not what is newer than an older one that is used', [a, b, c, d], 1, null, ['c', 'd']],
    ['not itself, when it was current before', [a, b, entry('a2', 'a')], 0, null, ['b']],
    ['not the current, when that was so before', [a, b, entry('a2', 'a'), c], 1, null, ['c']],
    ['nothing without a hash', [a, entry('x', null), b], 0, null, ['b']],
    ['those below one without a hash', [entry('x', null), a, b], 0, null, ['a', 'b']],
    ['what a rollback rejects, listed', [a, b, c], 0, hold('b'), ['b', 'c']],
    ['what a rollback rejects, no longer listed', [a, c], 0, hold('z'), ['c', 'z']],
    ['what a rollback rejects, above an older one that is used', [a, b, c], 2, hold('b'), ['b']],
    ['never itself, whatever a rollback rejects', [a, b], 0, hold('a', null), ['b']],
  ])('%s', (_, entries, used, held, expected) => {
    expect(older(entries, used, held)).toEqual(expected);
  });
});

it.each<[string, Partial<SnapshotEntry>, boolean]>([
  ['confirmed later', { asOf: '2026-11-22T00:00:00.000Z', sequence: 9 }, true],
  ['sealed anew', { key: 'snapshots/other.kfs' }, false],
  ['of another hash', { configHash: 'f'.repeat(32) }, false],
  ['of other hashes below it', { hashes: null }, false],
])('a snapshot %s makes the same frame: %s', (_, changes, same) => {
  const one = sampleEntry();
  expect(isSameSnapshot(one, { ...one, ...changes })).toBe(same);
});
