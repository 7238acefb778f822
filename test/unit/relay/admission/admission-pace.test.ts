import { describe, expect, it } from 'vitest';
import { AdmissionPace } from '../../../../src/relay/admission/pace.ts';

/** Answers one after the other, each in a round of its own. */
function pacedBy(...tookMs: number[]): AdmissionPace {
  const pace = new AdmissionPace();
  for (const ms of tookMs) pace.answered(ms, pace.round, true);
  return pace;
}

/** Fast answers that come before the limit grows. */
const PROOFS = 32;

const times = (count: number, ms: number) => Array.from({ length: count }, () => ms);

describe('fewer', () => {
  it('half, for one that is late; rounded down, at least one', () => {
    expect(pacedBy(...times(PROOFS + 8, 6), 600).limit).toBe(4);
    expect(pacedBy(...times(PROOFS + 8, 6), 600, 600, 600, 600, 600).limit).toBe(1);
  });

  it('once for all that were let in together', () => {
    const pace = pacedBy(...times(PROOFS + 16, 6));
    const { round } = pace;
    for (let n = 0; n < 10; n++) pace.answered(600, round, true);
    expect(pace.limit).toBe(8);
    pace.slow(pace.round);
    expect(pace.limit).toBe(4);
  });

  it('above 1.5 s always, however slow the best one was', () => {
    const slow = times(1 + PROOFS + 9, 1400);
    expect(pacedBy(...slow, 1500).limit).toBe(11);
    expect(pacedBy(...slow, 1501).limit).toBe(5);
  });

  it.each(['timedOut', 'restart'] as const)('one after %s, and the proofs begin anew', (what) => {
    const pace = pacedBy(...times(99, 6));
    pace[what]();
    expect(pace.limit).toBe(1);
    for (let n = 0; n < PROOFS; n++) pace.answered(6, pace.round, true);
    expect(pace.limit).toBe(1);
    pace.answered(6, pace.round, true);
    expect(pace.limit).toBe(2);
  });
});

describe('as many as before', () => {
  it('a first answer of half a second: a cold worker, or a slow control plane; it proves nothing', () => {
    expect(pacedBy(600, ...times(PROOFS, 6)).limit).toBe(1);
  });

  it('between twice and four times the best', () => {
    const grown = times(PROOFS + 9, 100);
    expect(pacedBy(...grown, 251).limit).toBe(10);
    expect(pacedBy(...grown, 400).limit).toBe(10);
    expect(pacedBy(...grown, 401).limit).toBe(5);
  });

  it('fast answers while half of the limit is not used', () => {
    const pace = pacedBy(...times(PROOFS + 3, 6));
    for (let n = 0; n < 10; n++) pace.answered(6, pace.round, false);
    expect(pace.limit).toBe(4);
  });
});

describe('more', () => {
  it('one for each fast answer, which is twice as many with each round; 256 at most', () => {
    expect(pacedBy(...times(PROOFS + 3, 6)).limit).toBe(4);
    expect(pacedBy(...times(1000, 6)).limit).toBe(256);
  });

  it('up to 250 ms, whatever the best was', () => {
    expect(pacedBy(...times(PROOFS, 1), 250).limit).toBe(2);
  });

  it('a control plane that always takes a second is at its best then', () => {
    expect(pacedBy(...times(1 + PROOFS + 2, 1000)).limit).toBe(3);
  });

  it('the best one is forgotten after 256 others', () => {
    expect(pacedBy(6, ...times(256 + PROOFS - 1, 1000)).limit).toBe(1);
    expect(pacedBy(6, ...times(256 + PROOFS, 1000)).limit).toBe(2);
  });
});

it('late is four times the best, and never below 50 ms', () => {
  expect([pacedBy().overdueMs, pacedBy(6).overdueMs, pacedBy(100).overdueMs]).toEqual([250, 50, 400]);
});
