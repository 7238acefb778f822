// By hand: npx tsx --conditions=kongfallback-source test/simulation/play-mutants.ts [seeds] [name]
import { bundle } from './bundle.ts';
import { MUTANTS } from './mutants.ts';
import { runSeeds } from './run-seeds.ts';

const [count = '200', name = ''] = process.argv.slice(2);
for (const mutant of MUTANTS.filter((one) => one.name.includes(name))) {
  let runs = 0;
  const [failed] = await runSeeds(
    await bundle(mutant),
    { count: Number(count), untilViolation: true, theme: mutant.theme },
    () => runs++,
  );
  const first = failed?.violations[0];
  console.log(
    `${failed === undefined ? 'NOT CAUGHT' : 'caught'} after ${runs} runs: ${mutant.name}: ${first?.rule} (seed ${failed?.seed})`,
  );
}
