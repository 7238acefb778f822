// npm run fuzz -- --minutes N [--target T] [--seed S]
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { fuzz } from './fuzz.ts';
import { keep, kept } from './kept.ts';
import { TARGETS } from './targets/index.ts';

const { values } = parseArgs({
  options: { minutes: { type: 'string' }, target: { type: 'string' }, seed: { type: 'string' } },
});
const minutes = Number(values.minutes ?? 1);
const seed = Number(values.seed ?? randomInt(2 ** 31));
const targets = TARGETS.filter(({ name }) => values.target === undefined || name === values.target);
if (!(minutes > 0) || !Number.isInteger(seed) || targets.length === 0) {
  process.stderr.write(`--minutes N --seed S --target ${TARGETS.map(({ name }) => name).join('|')}\n`);
  process.exit(2);
}
process.stdout.write(`seed ${seed}, ${minutes} min over ${targets.length} targets\n`);
let broken = 0;
for (const target of targets) {
  const until = performance.now() + (minutes * 60_000) / targets.length;
  const more = kept(target.name).map(({ bytes }) => bytes);
  const { runs, findings } = await fuzz(target, { seed, more, goOn: () => performance.now() < until });
  target.close?.();
  process.stdout.write(`${target.name}: ${runs} inputs, ${findings.length} findings\n`);
  for (const { bytes, error } of findings) {
    process.stdout.write(`  ${keep(target.name, bytes)}: ${error.stack ?? error.message}\n`);
  }
  broken += findings.length;
}
process.exitCode = broken === 0 ? 0 : 1;
