// By hand: npx tsx --conditions=kongfallback-source test/simulation/play.ts [first seed] [count] [theme]
import { bundle } from './bundle.ts';
import { runSeeds } from './run-seeds.ts';
import type { Theme } from './scenario.ts';

const [first = '1', count = '1', theme] = process.argv.slice(2);
const began = performance.now();
const rules = new Map<string, number[]>();
let [heads, versions, events] = [0, 0, 0];
const failed = await runSeeds(
  await bundle(),
  { firstSeed: Number(first), count: Number(count), theme: theme as Theme | undefined },
  (run) => {
    heads += run.heads;
    versions += run.versions;
    events += run.events;
  },
);
for (const { seed, violations } of failed) {
  for (const rule of new Set(violations.map((violation) => violation.rule))) {
    rules.set(rule, [...(rules.get(rule) ?? []), seed]);
  }
}
if (Number(count) === 1)
  for (const { history, scenario } of failed) {
    console.log(JSON.stringify(scenario, null, 1));
    console.log(history.join('\n'));
  }
for (const [rule, seeds] of rules)
  console.log(`${rule}: ${seeds.length} runs, e.g. ${seeds.slice(0, 8).join(' ')}`);
const seconds = (performance.now() - began) / 1000;
console.log(
  `${count} runs, ${failed.length} failed, ${heads} heads, ${versions} versions, ${events} events, ${seconds.toFixed(1)} s`,
);
