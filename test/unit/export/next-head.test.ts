import { describe, expect, it } from 'vitest';
import { aliveHead, type HeadFacts, publishedHead } from '../../../src/export/next-head.ts';
import type { DelistedKey } from '../../../src/snapshot/head.ts';
import { at, entry, head, T0 } from './heads.ts';

const HOUR = 3_600_000;
const KEEP = { last: 1, hourly: 0, daily: 0 };

const facts = (now: number): HeadFacts => ({
  cluster: 'test',
  gatewayVersion: '3.9.3',
  sequence: 2000,
  writer: 'test',
  nonce: 'f'.repeat(32),
  now: T0 + now,
  replaced: [],
});

const gone = (letter: string, since: number): DelistedKey => ({
  key: entry(letter, 0).key,
  since: at(since),
});

describe('what left the list', () => {
  it('is remembered for two days and no longer, whatever comes', () => {
    const base = head('a', 0, { delisted: [gone('c', 0), gone('d', 1)] });
    const keys = (now: number) =>
      publishedHead(base, entry('b', now), facts(now), KEEP).delisted.map(({ key }) => key);
    expect(keys(48 * HOUR - 1)).toEqual([entry('c', 0).key, entry('d', 0).key, entry('a', 0).key]);
    expect(keys(48 * HOUR)).toEqual([entry('d', 0).key, entry('a', 0).key]);
    expect(keys(96 * HOUR)).toEqual([entry('a', 0).key]);
  });

  it('by a clock that was set back is kept: it is older than nobody knows what', () => {
    const base = head('a', 0, { delisted: [gone('c', 90 * HOUR)] });
    expect(publishedHead(base, entry('b', 0), facts(0), KEEP).delisted).toHaveLength(2);
  });
});

describe('since when the control plane is down', () => {
  it('is when it was lost, and not when that was written', () => {
    const base = head('a', 0);
    const down = aliveHead(base, facts(10 * HOUR), 'down', HOUR);
    expect(down.controlPlane).toEqual({ state: 'down', since: at(9 * HOUR) });
    // Told again an hour later, by whoever it is.
    expect(aliveHead(down, facts(11 * HOUR), 'down', 5000).controlPlane).toEqual(down.controlPlane);
  });
});
