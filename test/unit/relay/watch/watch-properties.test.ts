import { expect, test } from 'vitest';
import type { ControlPlaneView, Verdict } from '../../../../src/relay/verdict.ts';
import { type Mood, Watched } from './watch-fixture.ts';

// Control planes that come and go every 1 to 60 s in every way, with tunnels that report what they like.

const SEEDS = 25;
const LENGTH_MS = 900_000;
const MOODS: readonly Mood[] = [
  'answers',
  'answers',
  'refuses',
  'hangs',
  'tls-only',
  'denies',
  { afterMs: 700 },
  { afterMs: 2500 },
];
const ALLOWED: Readonly<Record<Verdict, readonly Verdict[]>> = {
  unknown: ['up', 'doubtful', 'down'],
  up: ['doubtful', 'down'],
  doubtful: ['up', 'down'],
  down: ['up'],
};

/** Mulberry32: the same numbers for the same seed. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Change {
  readonly atMs: number;
  readonly view: ControlPlaneView;
  readonly before: ControlPlaneView;
}

async function live(seed: number) {
  const random = seeded(seed);
  const between = (low: number, high: number) => Math.round(low + (high - low) * random());
  const tripMs = between(500, 10_000);
  const stableMs = between(1000, 20_000);
  const changes: Change[] = [];
  const one: Watched = new Watched({
    tripMs,
    stableMs,
    random,
    form: 'service',
    hosts: random() < 0.3 ? ['one:8005', 'two:8005'] : ['cp:8005'],
    onChange: (view, before) => changes.push({ atMs: one.ms, view, before }),
  });
  const pick = () => MOODS[Math.floor(random() * MOODS.length)] ?? 'answers';
  one.mood = pick();
  one.run();
  while (one.ms < LENGTH_MS) {
    const until = one.ms + between(1000, 60_000);
    while (one.ms < until) {
      await one.advance(between(100, 8000));
      const report = random();
      if (report < 0.1) one.watch.tunnelFailed(new Error('no connection'));
      else if (report < 0.2) one.watch.tunnelSilent();
      else if (report < 0.6) one.watch.tunnelAnswered();
      else if (report < 0.7) one.watch.lookNow();
    }
    one.mood = pick();
  }
  await one.end();
  return { one, tripMs, stableMs, changes };
}

test('whatever happens, verdicts are earned', async () => {
  let [trips, returns] = [0, 0];
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { changes, one, stableMs, tripMs } = await live(seed);
    const where = (atMs: number) => `seed ${seed}, ${atMs} ms`;
    let downAt = Number.NaN;
    let former: Verdict = 'unknown';
    for (const { atMs, before, view } of changes) {
      expect([where(atMs), before.verdict]).toEqual([where(atMs), former]);
      expect(ALLOWED[former], where(atMs)).toContain(view.verdict);
      former = view.verdict;
      if (view.verdict === 'down') {
        downAt = atMs;
        trips++;
        if (view.reason === 'KF_RELAY_TUNNELS_SILENT') continue;
        const answered = one.ends.filter(
          (end) => end.answers && end.depth === 'upgrade' && end.atMs > atMs - tripMs && end.atMs <= atMs,
        );
        expect(answered, where(atMs)).toEqual([]);
      }
      if (view.verdict === 'up' && before.verdict === 'down') {
        returns++;
        expect(atMs - downAt, where(atMs)).toBeGreaterThanOrEqual(stableMs);
        // Of two addresses one may fail, as long as the other answers.
        if (one.looks.some(({ address }) => address === 'two:8005')) continue;
        const ends = one.ends.filter((end) => end.atMs >= downAt && end.atMs <= atMs);
        const trial = ends.slice(ends.findLastIndex(({ answers }) => !answers) + 1);
        expect(trial.length, where(atMs)).toBeGreaterThan(1);
        expect(atMs - (trial[0]?.atMs ?? atMs), where(atMs)).toBeGreaterThanOrEqual(stableMs);
      }
    }
    expect(one.verdicts.map(({ atMs, before, verdict }) => [atMs, before, verdict])).toEqual(
      changes.map(({ atMs, before, view }) => [atMs, before.verdict, view.verdict]),
    );
    expect([one.clock.sleeping, one.looking], `seed ${seed}`).toEqual([0, 0]);
  }
  // Else nothing was shown.
  expect(trips).toBeGreaterThan(SEEDS);
  expect(returns).toBeGreaterThan(SEEDS);
}, 60_000);
