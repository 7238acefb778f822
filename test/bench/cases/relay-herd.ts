import { type Spread, spread } from '../comparison.ts';
import { freePort, HerdSite } from '../herd.ts';
import { sharedNow } from '../herd-clock.ts';
import type { ControlPlaneUsage } from '../model-control-plane.ts';
import type { Result } from '../result.ts';

const HERD = 500;
/** Without a relay more than a minute each, though side by side. */
const ROUNDS = 2;
const WORKERS = 4;
const ENTITIES = 15_000;
/** From the verdict that the control plane is back. */
const BACK_MS = 12_000;
/** Data planes of a relay, and how many such relays. */
const SMALL: readonly (readonly [number, number])[] = [
  [1, 6],
  [20, 3],
];

interface Return {
  /** Of each data plane, since the verdict; without a relay since the control plane listens. */
  readonly afterMs: readonly number[];
  readonly usage: ControlPlaneUsage;
}

/**
 * A fleet returns to a control plane that just started, with and without the relay's real process between them. The
 * control plane is a model; how it compares with the real one that it was made after is printed in front.
 */
export async function relayHerd(say: (line: string) => void, rounds = ROUNDS): Promise<Result[]> {
  const first = await HerdSite.create();
  const sites: HerdSite[] = [first];
  const site = () => {
    const copy = first.copy();
    sites.push(copy);
    return copy;
  };
  try {
    for (const line of await comparedWithRecorded(site)) say(line);
    const numbers = Array.from({ length: rounds }, (_, n) => n);
    const [peer, ...small] = await Promise.all([
      Promise.all(numbers.map((n) => withoutRelay(site(), HERD, n))),
      ...SMALL.map(async ([count, relays]) => {
        const each = Array.from({ length: relays }, (_, n) => withRelay(site(), count, n));
        return backAfter(count, await Promise.all(each));
      }),
    ]);
    const ours: Return[] = [];
    for (const n of numbers) ours.push(await withRelay(site(), HERD, n));
    return [...small, backAfter(HERD, ours), ...compared(ours, peer)];
  } finally {
    for (const one of sites) await one.end();
  }
}

/** Everybody is at the stand-in when the control plane starts. */
async function withRelay(site: HerdSite, count: number, seed: number): Promise<Return> {
  const port = await freePort();
  const relay = await site.startRelay(port);
  const dataPlanes = await site.dataPlanes(relay.port, count, { seed });
  while ((await relay.metric('kongfallback_relay_stand_in_sessions', 'served')) !== count) await pause(100);
  const controlPlane = await site.startControlPlane(port, WORKERS, seed);
  await relay.verdict('up');
  const backAt = sharedNow();
  const moments = await dataPlanes.all;
  const usage = await controlPlane.usage();
  await site.end();
  return { afterMs: moments.map((moment) => moment - backAt), usage };
}

/** Everybody has been dialling a closed port for a while. */
async function withoutRelay(site: HerdSite, count: number, seed: number): Promise<Return> {
  const port = await freePort();
  const dataPlanes = await site.dataPlanes(port, count, { seed, spreadMs: 10_000 });
  await pause(10_000);
  const controlPlane = await site.startControlPlane(port, WORKERS, seed);
  const startedAt = sharedNow();
  const moments = await dataPlanes.all;
  const usage = await controlPlane.usage();
  await site.end();
  return { afterMs: moments.map((moment) => moment - startedAt), usage };
}

/** The model beside captures: seconds until the last one, CPU seconds, memory. */
async function comparedWithRecorded(site: () => HerdSite): Promise<string[]> {
  const rows = await Promise.all([
    recorded(site(), 'one cold worker, 50 at once', 1, 50, 'recorded 25 s, 22 CPU-s, 2.0 GB'),
    recorded(
      site(),
      '4 workers, 100 at once, one attached',
      WORKERS,
      100,
      'recorded 54.9 s, 53.8 CPU-s, 4 GB',
      true,
    ),
    recorded(
      site(),
      '4 cold workers, 60 one by one',
      WORKERS,
      60,
      'recorded 1.64 CPU-s, 0.5 GB',
      false,
      true,
    ),
  ]);
  return [
    'the model of a control plane beside the real one (15k entities):',
    ...rows.map((row) => `  ${row}`),
  ];
}

async function recorded(
  site: HerdSite,
  what: string,
  workers: number,
  count: number,
  real: string,
  attached = false,
  oneByOne = false,
): Promise<string> {
  const port = await freePort();
  const controlPlane = await site.startControlPlane(port, workers, 1);
  if (attached) await (await site.dataPlanes(port, 1, { seed: 2 })).all;
  const startedAt = sharedNow();
  const moments = await (await site.dataPlanes(port, count, { oneByOne })).all;
  const { cpuSeconds, exports, peakMb } = await controlPlane.usage();
  await site.end();
  const seconds = (Math.max(...moments) - startedAt) / 1000;
  const cost = `${seconds.toFixed(1)} s, ${cpuSeconds.toFixed(1)} CPU-s, ${(peakMb / 1000).toFixed(1)} GB`;
  return `${what}: ${cost}, ${exports} exports; ${real}`;
}

function backAfter(count: number, returns: readonly Return[]): Result {
  const all = returns.flatMap(({ afterMs }) => afterMs).sort((a, b) => a - b);
  const at = (share: number) => ((all[Math.floor(share * (all.length - 1))] ?? Number.NaN) / 1000).toFixed(1);
  return {
    name: `hand-back of ${count}: the last one`,
    entities: ENTITIES,
    unit: 'ms',
    value: lastOf(returns),
    target: BACK_MS,
    against: `since the verdict; each of ${all.length} over ${returns.length} relays: p10 ${at(0.1)}, p50 ${at(0.5)}, p90 ${at(0.9)} s`,
    cpuSeconds: null,
  };
}

function compared(ours: readonly Return[], peer: readonly Return[]): Result[] {
  const of = (returns: readonly Return[], what: (one: Return) => number) => spread(returns.map(what));
  const pairs = (what: (one: Return) => number) =>
    spread(ours.map((one, n) => what(one) / what(peer[n] ?? one)));
  const exports = (one: Return) => one.usage.exports;
  const cpuSeconds = (one: Return) => one.usage.cpuSeconds;
  const peakMb = (one: Return) => one.usage.peakMb;
  const row = (name: string, unit: Result['unit'], value: Spread, against: string): Result => {
    return { name, entities: ENTITIES, unit, value, target: null, against, cpuSeconds: null };
  };
  const range = ({ max, min }: Spread) => `${Math.round(min)} .. ${Math.round(max)}`;
  return [
    row('herd of 500, last one up: no relay', 'ms', lastOf(peer), 'since the control plane listens'),
    {
      ...row('herd of 500: CPU of the control plane', 'x', pairs(cpuSeconds), `no relay, ${WORKERS} workers`),
      cpuSeconds: { ours: of(ours, cpuSeconds), peer: of(peer, cpuSeconds) },
    },
    row(
      'herd of 500: peak of the control plane',
      'MB',
      of(ours, peakMb),
      `no relay: ${range(of(peer, peakMb))} MB`,
    ),
    row(
      'herd of 500: exports of the database',
      'requests',
      of(ours, exports),
      `no relay: ${range(of(peer, exports))}; ${WORKERS} is the least`,
    ),
  ];
}

const lastOf = (returns: readonly Return[]): Spread =>
  spread(returns.map(({ afterMs }) => Math.max(...afterMs)));

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
