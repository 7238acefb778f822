import { describe, expect, it } from 'vitest';
import { retained } from '../../../src/export/retained.ts';
import { entry } from './heads.ts';

const HOUR = 3_600_000;
const LETTERS = 'abcdef0123456789';

/** One entry per given hour back, newest first. */
const entries = (...hoursBack: number[]) =>
  hoursBack.map((back, index) => entry(LETTERS[index] ?? '0', -back * HOUR));
const backOf = (kept: readonly { asOf: string }[], all: readonly { asOf: string }[], backs: number[]) =>
  kept.map((one) => backs[all.indexOf(one)]);

describe('retention', () => {
  it('keeps the newest, and always the current one', () => {
    const all = entries(0, 1, 2, 3);
    expect(retained(all, { last: 2, hourly: 0, daily: 0 })).toEqual(all.slice(0, 2));
    expect(retained(all, { last: 0, hourly: 0, daily: 0 })).toEqual(all.slice(0, 1));
  });

  it('keeps the newest of each hour and of each day beside them, in their order', () => {
    const backs = [0, 0.1, 0.2, 1, 1.5, 30, 31, 54];
    const all = entries(...backs);
    const kept = retained(all, { last: 1, hourly: 2, daily: 3 });
    // Noon is T0: 0.1 h and 0.2 h back are the hour before it, 1 h back begins the one before that.
    expect(backOf(kept, all, backs)).toEqual([0, 0.1, 30, 54]);
  });

  it('keeps a current one that is older than the others, as after a rollback', () => {
    const all = [entry('a', -50 * HOUR), entry('b', 0), entry('c', -HOUR)];
    expect(retained(all, { last: 1, hourly: 1, daily: 0 })).toEqual([all[0], all[1]]);
  });
});
