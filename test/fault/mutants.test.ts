// The planted bugs of reliability.md: each is put into the code, and the simulation must notice.
import { describe, expect, it } from 'vitest';
import { bundle } from '../simulation/bundle.ts';
import { MUTANTS } from '../simulation/mutants.ts';
import { runSeeds } from '../simulation/run-seeds.ts';

/** Every mutant is caught within a few dozen; the rest is for the day when the scenarios change a little. */
const MOST_SEEDS = 300;

describe('a planted bug is caught', () => {
  it.each(MUTANTS)('$name', async (mutant) => {
    let runs = 0;
    const code = await bundle(mutant);
    const plan = { count: MOST_SEEDS, untilViolation: true, theme: mutant.theme };
    const [failed] = await runSeeds(code, plan, () => runs++);
    const first = failed?.violations[0];
    console.log(`${mutant.name}: ${runs} runs; seed ${failed?.seed}: ${first?.rule}: ${first?.what}`);
    expect(failed, `not caught in ${runs} runs`).toBeDefined();
  });

  it('tells when the code that a mutant changes has moved', async () => {
    const changes = { 'src/export/decide.ts': [['text that is not there', '']] } as const;
    await expect(bundle({ name: 'moved', changes })).rejects.toThrow(/not exactly once/);
  });
});
