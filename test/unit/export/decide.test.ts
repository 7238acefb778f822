import { describe, expect, it } from 'vitest';
import { type Candidate, decide, nextSequence } from '../../../src/export/decide.ts';
import { at, entry, head, T0 } from './heads.ts';

const rules = { marginMs: 4000, confirmIntervalMs: 600_000, now: T0 + 100_000 };

const candidate = (letter: string, asOfMs: number): Candidate => ({
  configHash: letter.repeat(32),
  documentLength: 1000,
  documentSha256: letter.repeat(64),
  asOf: T0 + asOfMs,
});

const one = (letter: string, asOfMs: number, over = {}) => [
  { storeId: 's', head: head(letter, asOfMs, over) },
];

describe('which configuration is newer', () => {
  it('publishes the first one', () => {
    expect(decide(candidate('a', 0), [{ storeId: 's', head: undefined }], rules)).toEqual({
      action: 'publish',
      base: undefined,
    });
  });

  it('replaces other content only when it is newer by more than the margin', () => {
    expect(decide(candidate('b', 4001), one('a', 0), rules).action).toBe('publish');
    expect(decide(candidate('b', 4000), one('a', 0), rules).action).toBe('wait');
    expect(decide(candidate('b', 0), one('a', 0), rules).action).toBe('wait');
  });

  it('never replaces with something older, however long the head went unconfirmed', () => {
    const later = { ...rules, now: T0 + 86_400_000 };
    expect(decide(candidate('b', -1), one('a', 0), later)).toEqual({ action: 'older', against: 's' });
  });

  it('replaces within the margin once the head went 1.5 confirmation intervals unconfirmed', () => {
    const readings = one('a', 0);
    expect(decide(candidate('b', 10), readings, { ...rules, now: T0 + 900_000 }).action).toBe('wait');
    expect(decide(candidate('b', 10), readings, { ...rules, now: T0 + 900_001 }).action).toBe('publish');
  });

  it('must be newer than every reachable head with other content, not only the highest', () => {
    const readings = [
      { storeId: 'low', head: head('a', 50_000, { sequence: 5 }) },
      { storeId: 'high', head: head('b', 0, { sequence: 9 }) },
    ];
    expect(decide(candidate('c', 20_000), readings, rules)).toEqual({ action: 'older', against: 'low' });
  });

  it('takes equal content as a confirmation, whatever its age', () => {
    expect(decide(candidate('a', -50_000), one('a', 0), rules).action).toBe('confirm');
  });

  it('does not take the same hash with another length as equal', () => {
    const other = { ...candidate('a', 10_000), documentLength: 999 };
    expect(decide(other, one('a', 0), rules).action).toBe('publish');
  });

  describe('with a rollback from b to a in force', () => {
    const content = (letter: string) => {
      const { configHash, documentLength, documentSha256 } = candidate(letter, 0);
      return { configHash, documentLength, documentSha256 };
    };
    const hold = (until: string | null) => ({
      target: 'a'.repeat(64),
      rejected: [content('b')],
      by: 'ops',
      reason: 'broke login',
      since: at(50_000),
      until,
    });
    const held = (until: string | null = null) =>
      one('a', 0, { hold: hold(until), entries: [entry('a', 0), entry('b', 20_000)] });

    it('holds what it rejects, however new the evidence', () => {
      expect(decide(candidate('b', 90_000), held(), rules).action).toBe('held');
    });

    it('confirms its target', () => {
      expect(decide(candidate('a', 90_000), held(), rules).action).toBe('confirm');
    });

    it('lets a new one pass only when it is newer than what was rejected, too', () => {
      expect(decide(candidate('c', 10_000), held(), rules)).toEqual({ action: 'older', against: 's' });
      expect(decide(candidate('c', 24_000), held(), rules).action).toBe('wait');
      expect(decide(candidate('c', 24_001), held(), rules).action).toBe('publish');
    });

    it('ends at its time, to the millisecond of the store', () => {
      expect(decide(candidate('b', 20_000), held(at(100_001)), rules).action).toBe('held');
      expect(decide(candidate('b', 20_000), held(at(100_000)), rules).action).toBe('publish');
    });
  });

  it('follows A, B, A within one session without a margin', () => {
    const own = 'b'.repeat(32);
    const readings = one('b', 10_000);
    expect(decide(candidate('a', 10_001), readings, rules).action).toBe('wait');
    expect(decide(candidate('a', 10_001), readings, { ...rules, ownNonce: own }).action).toBe('publish');
  });

  it('publishes on the highest head when a lower one holds the same content', () => {
    const readings = [
      { storeId: 'low', head: head('a', 0, { sequence: 5 }) },
      { storeId: 'high', head: head('b', 0, { sequence: 9 }) },
    ];
    const decision = decide(candidate('a', 60_000), readings, rules);
    expect(decision.action).toBe('publish');
    expect(decision.action === 'publish' && decision.base?.sequence).toBe(9);
  });

  it('does not publish what a rollback rejects', () => {
    const hold = {
      target: 'a'.repeat(64),
      rejected: [{ configHash: 'b'.repeat(32), documentLength: 1000, documentSha256: 'b'.repeat(64) }],
      by: 'me',
      reason: 'broke login',
      since: at(0),
      until: null,
    };
    expect(decide(candidate('b', 90_000), one('a', 0, { hold }), rules).action).toBe('held');
    expect(decide(candidate('c', 90_000), one('a', 0, { hold }), rules).action).toBe('publish');
  });
});

describe('sequence', () => {
  it('exceeds every head, our own last one and the clock of the store', () => {
    expect(nextSequence([head('a', 0, { sequence: 7 }), undefined], 3, 5000)).toBe(8);
    expect(nextSequence([undefined], 9, 5000)).toBe(10);
    expect(nextSequence([undefined], 0, 1_795_258_930_999)).toBe(1_795_258_930);
  });

  it('does not restart below what readers have seen when a bucket was lost', () => {
    expect(nextSequence([], 0, T0)).toBe(Math.floor(T0 / 1000));
  });
});
