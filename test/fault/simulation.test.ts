// Exporters, control planes and stores under a false time, with everything that can go wrong (reliability.md, "Which
// configuration is newer"). A run is its seed: KF_SIM_SEEDS=20000 for a long one, KF_SIM_FIRST to begin elsewhere.
import { describe, expect, it } from 'vitest';
import { bundle } from '../simulation/bundle.ts';
import { runSeeds } from '../simulation/run-seeds.ts';

const SEEDS = Number(process.env['KF_SIM_SEEDS'] ?? 150);
const FIRST = Number(process.env['KF_SIM_FIRST'] ?? 1);
const DAY_MS = 86_400_000;

describe('simulation', () => {
  it(
    `holds every invariant in ${SEEDS} runs`,
    async () => {
      const sums = { heads: 0, versions: 0, events: 0 };
      const failed = await runSeeds(await bundle(), { count: SEEDS, firstSeed: FIRST }, (run) => {
        for (const key of Object.keys(sums) as (keyof typeof sums)[]) sums[key] += run[key];
      });
      console.log(
        `seeds ${FIRST}..${FIRST + SEEDS - 1}: ${sums.versions} configurations, ${sums.heads} heads, ${sums.events} events, ${failed.length} runs with violations`,
      );
      const told = failed.map(({ seed, violations }) => ({ seed, ...violations[0] }));
      expect(told, 'replay one: tsx --conditions=kongfallback-source test/simulation/play.ts <seed>').toEqual(
        [],
      );
      // A simulation in which nothing happens finds nothing.
      expect(sums.heads).toBeGreaterThan(SEEDS * 20);
      expect(sums.versions).toBeGreaterThan(SEEDS * 10);
    },
    DAY_MS,
  );

  it('plays the same run from the same seed', async () => {
    const code = await bundle();
    const play = async () => {
      const seen: unknown[] = [];
      await runSeeds(code, { count: 1, firstSeed: 7 }, (run) => seen.push(run));
      return seen;
    };
    expect(await play()).toEqual(await play());
  });
});
