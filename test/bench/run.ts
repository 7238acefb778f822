// npm run bench [-- --sizes 1k,10k,100k,1m] [--rounds 5] [--seed 1] [--only tunnel,herd] [--json]
//
// Whole processes of the built command line beside a peer that does the least that could be done, in turns. A ratio
// within one run is the only figure that holds between machines.
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { bootstrapFile } from './cases/bootstrap-file.ts';
import { bootstrapMemory, memoryGrowth } from './cases/bootstrap-memory.ts';
import { bootstrapS3 } from './cases/bootstrap-s3.ts';
import { detection } from './cases/detection.ts';
import { exportFull } from './cases/export-full.ts';
import { exportUnchanged } from './cases/export-unchanged.ts';
import { following } from './cases/following.ts';
import { relayDetection } from './cases/relay-detection.ts';
import { relayFanOut } from './cases/relay-fan-out.ts';
import { relayHerd } from './cases/relay-herd.ts';
import { relayTunnel } from './cases/relay-tunnel.ts';
import { Fleet } from './fleet.ts';
import { parseSize } from './generate.ts';
import { isMet, type Result, resultLine } from './result.ts';

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '1k,10k,100k,1m' },
    rounds: { type: 'string', default: '5' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
  },
});
const sizes = values.sizes.split(',').map(parseSize);
const rounds = Number(values.rounds);
const seed = Number(values.seed);
if (!(Number.isInteger(rounds) && rounds > 0)) throw new Error('--rounds must be a positive whole number');

/** From here on only memory is of interest: ten times 100k of everything else. */
const MEMORY_ONLY_FROM = 1_000_000;
const MEMORY_ROUNDS = 3;
/** A black hole costs 10 s each time. */
const DETECTION_ROUNDS = 3;
/** Each sends 15 GB. */
const FAN_OUT_ROUNDS = 2;

const results: Result[] = [];
const say = (line: string) => values.json || console.log(line);
const keep = (...more: Result[]) => {
  results.push(...more);
  for (const result of more) say(resultLine(result));
};

const machine = `${cpus()[0]?.model ?? 'unknown'} x ${cpus().length}, ${Math.round(totalmem() / 2 ** 30)} GiB, node ${process.version}, ${process.platform}`;
const method = `CPU seconds (user + system, children included) by bash's time; ours and peer in turns, ${rounds} rounds after one that does not count; median (min .. max)`;
const only = values.only === '' ? '' : ` --only ${values.only}`;
const command = `npm run bench -- --sizes ${values.sizes} --rounds ${rounds} --seed ${seed}${only}`;
say(`${machine}\n${command}\n${method}\n`);

const CASES: Readonly<Record<string, () => Promise<readonly Result[]>>> = {
  tunnel: () => relayTunnel(rounds),
  following: () => following(rounds),
  detection: () => detection(Math.min(rounds, DETECTION_ROUNDS)),
  'relay-detection': () => relayDetection(20),
  'fan-out': () => relayFanOut(Math.min(rounds, FAN_OUT_ROUNDS)),
  herd: () => relayHerd((line) => say(line)),
  sizes: async () => {
    for (const size of sizes) await measure(size);
    return memoryGrowth(results);
  },
};
const chosen = values.only === '' ? Object.keys(CASES) : values.only.split(',');
for (const name of chosen) {
  const run = CASES[name];
  if (run === undefined) throw new Error(`--only ${name}: there are ${Object.keys(CASES).join(', ')}`);
  keep(...(await run()));
}

const judged = results.filter(({ target }) => target !== null);
const met = judged.filter(isMet).length;
if (values.json)
  console.log(
    JSON.stringify({ machine, command, method, results, met, missed: judged.length - met }, null, 2),
  );
else console.log(`\ntargets: ${met} met, ${judged.length - met} missed`);

async function measure(entities: number): Promise<void> {
  const fleet = new Fleet(entities, seed);
  try {
    await fleet.generateDocument();
    if (entities < MEMORY_ONLY_FROM) {
      await fleet.generateFrame();
      keep(await exportFull(fleet, rounds), await exportUnchanged(fleet, rounds));
      keep(...(entities <= 1000 ? await bootstrapS3(fleet, rounds) : []));
    }
    await fleet.emptyStore();
    await fleet.publish();
    if (entities < MEMORY_ONLY_FROM) {
      await fleet.compress();
      keep(await bootstrapFile(fleet, rounds));
    }
    keep(await bootstrapMemory(fleet, Math.min(rounds, MEMORY_ROUNDS)));
  } finally {
    fleet.remove();
  }
}
