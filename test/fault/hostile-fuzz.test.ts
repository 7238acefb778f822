// Every decoder for a moment, with a seed of its own each time; `npm run fuzz` is the long form.
import { randomInt } from 'node:crypto';
import { expect, it } from 'vitest';
import { fuzz } from '../fuzz/fuzz.ts';
import { keep, kept } from '../fuzz/kept.ts';
import { TARGETS } from '../fuzz/targets/index.ts';

const MS_EACH = 1500;

it.each(TARGETS.map((target) => [target.name, target] as const))('%s', async (name, target) => {
  const seed = randomInt(2 ** 31);
  const until = performance.now() + MS_EACH;
  const more = kept(name).map(({ bytes }) => bytes);
  const { runs, findings } = await fuzz(target, { seed, more, goOn: () => performance.now() < until });
  target.close?.();
  const told = findings.map(({ bytes, error }) => `seed ${seed}, ${keep(name, bytes)}: ${error.stack}`);
  expect(told).toEqual([]);
  expect(runs).toBeGreaterThan(20);
});
