// reliability.md, "Which configuration is newer": its cases by name, played by hand on the stage of the simulation.
import { afterEach, describe, expect, it } from 'vitest';
import { Chance } from '../simulation/chance.ts';
import { CALM, NOTHING, type Scenario, scenarioOf } from '../simulation/scenario.ts';
import { Simulation } from '../simulation/simulate.ts';
import { hashOf, MARGIN_MS } from '../simulation/truth.ts';
import { ExportBench } from '../unit/export/bench.ts';

const INTERVAL_MS = 60_000;

class Stage extends Simulation {
  /** Every exporter follows, nothing goes wrong by itself. */
  static async open(
    seed: number,
    over: Partial<Scenario> & { readonly followers?: number } = {},
  ): Promise<Stage> {
    const { followers = 2, ...rest } = over;
    const chance = new Chance(seed);
    const plan = {
      kind: 'follow' as const,
      stopChance: 0,
      longestStopMs: 1,
      confirmIntervalMs: INTERVAL_MS,
      delayMs: 5000,
      marginMs: 4000,
    };
    const stage = new Stage(chance, {
      ...scenarioOf(chance, 'any'),
      nodes: [1, 2].map((index) => ({ skewMs: index * 400_000, exportMs: 300, hasDataPlanes: true })),
      storeSkewsMs: [-600_000],
      exporters: Array.from({ length: followers }, (_, index) => ({
        ...plan,
        name: `exporter${index}`,
        skewMs: (index % 2 === 0 ? 1 : -1) * 1_200_000,
      })),
      confirmIntervalMs: INTERVAL_MS,
      faults: CALM,
      meanGapsMs: NOTHING,
      ...rest,
    });
    await stage.prepare();
    await stage.passes(INTERVAL_MS + 5000);
    return stage;
  }

  async passes(ms: number): Promise<void> {
    await this.world.runUntil(this.world.now + ms);
  }

  /** The Admin API of a node writes. */
  write(content: string, node = 0): void {
    this.database.set(content);
    this.nodes[node]?.wrote();
  }

  /** First of each store's current configuration, by its content. */
  holds(content: string): boolean {
    return this.storages.every(
      (store) => this.truth.current(store)?.entries[0]?.configHash === hashOf(content),
    );
  }

  sequences(): number[] {
    return this.storages.map((store) => this.truth.current(store)?.sequence ?? 0);
  }
}

describe('which configuration is newer', () => {
  let stage: Stage;

  afterEach(() => {
    expect(stage.truth.violations).toEqual([]);
  });

  it('A, B, A with a second exporter that is stopped in between and goes on with B', async () => {
    for (const stopMs of [2000, 20_000, 119_000]) {
      stage = await Stage.open(1);
      stage.write('A');
      await stage.passes(30_000);
      stage.write('B');
      // B has reached it, and is not in the store yet.
      await stage.passes(500);
      stage.exporters[1]?.process.stop(stopMs);
      await stage.passes(5000);
      stage.write('A');
      await stage.passes(12_000);
      expect(stage.holds('A')).toBe(true);
      await stage.peace();
      expect(stage.holds('A')).toBe(true);
    }
  });

  it('an exporter without memory, killed after each single event of a change and its confirmation', async () => {
    const story = async (killAfter: number): Promise<number> => {
      stage = await Stage.open(2, { storeSkewsMs: [-600_000, -600_000], followers: 1 });
      stage.write('B');
      const began = stage.world.events;
      const begun = stage.sequences();
      const end = stage.world.now + INTERVAL_MS + 10_000;
      while (stage.world.now < end && stage.world.events - began < killAfter) await stage.world.step();
      const passed = stage.world.events - began;
      if (passed < killAfter) return passed;
      stage.exporters[0]?.kill();
      await stage.passes(1);
      stage.exporters[0]?.start();
      await stage.peace();
      expect(stage.holds('B')).toBe(true);
      for (const [index, sequence] of stage.sequences().entries())
        expect(sequence).toBeGreaterThan(begun[index] ?? 0);
      expect(stage.truth.violations).toEqual([]);
      return passed;
    };
    const steps = await story(Number.POSITIVE_INFINITY);
    expect(steps).toBeGreaterThan(20);
    for (let step = 1; step <= steps; step++) await story(step);
    console.log(`killed after each of ${steps} events`);
  });

  it('two control planes that disagree: the one that is behind never wins, and it is said', async () => {
    stage = await Stage.open(3);
    stage.write('old', 1);
    await stage.passes(20_000);
    expect(stage.holds('old')).toBe(true);
    const [current, behind] = stage.nodes;
    if (current === undefined || behind === undefined) throw new Error('there are two');
    behind.connected = false;
    stage.write('new', 0);
    // A session with the one that is behind lasts until the next confirmation.
    await stage.passes(3 * INTERVAL_MS);
    expect(stage.holds('new')).toBe(true);
    // Now everybody talks to the one that is behind, for as long as it takes.
    current.goDown();
    await stage.passes(10 * INTERVAL_MS);
    expect(stage.holds('new')).toBe(true);
    expect(stage.truth.history.some((line) => line.includes('control planes disagree'))).toBe(true);
    current.up = true;
    behind.connected = true;
    await stage.peace();
  });

  it('a dead database and an old timestamp: an exporter that starts then does not take it for news', async () => {
    stage = await Stage.open(4, { nodes: [{ skewMs: 900_000, exportMs: 300, hasDataPlanes: true }] });
    stage.write('A');
    await stage.passes(20_000);
    const [store] = stage.storages;
    const [node] = stage.nodes;
    if (node === undefined || store === undefined) throw new Error('there is one');
    node.connected = false;
    const asOf = () => Date.parse(stage.truth.current(store)?.entries[0]?.asOf ?? '');
    const before = asOf();
    for (const exporter of stage.exporters) {
      exporter.kill();
      await stage.passes(30_000);
      exporter.start();
      await stage.passes(2 * INTERVAL_MS);
    }
    expect(stage.holds('A')).toBe(true);
    expect(Math.abs(asOf() - before)).toBeLessThan(MARGIN_MS);
    await stage.peace();
  });

  it('a burst of changes, coalesced, by exporters whose clocks are forty minutes apart', async () => {
    stage = await Stage.open(5, { followers: 3 });
    for (let round = 0; round < 10; round++) {
      for (let change = 0; change < 5; change++) {
        stage.write(`burst ${round} ${change % 3}`, change % 2);
        await stage.passes(700);
      }
      await stage.passes(8000);
    }
    await stage.passes(20_000);
    expect(stage.holds('burst 9 1')).toBe(true);
    await stage.peace();
  });

  it('a store that is emptied begins above what readers have seen, whoever writes first', async () => {
    stage = await Stage.open(6, { followers: 2 });
    stage.write('A');
    await stage.passes(20_000);
    const [seen = 0] = stage.sequences();
    for (const exporter of stage.exporters) exporter.kill();
    await stage.storages[0]?.empty();
    await stage.passes(10_000);
    // Its clock is forty minutes behind the other's.
    stage.exporters[1]?.start();
    await stage.passes(20_000);
    expect(stage.sequences()[0]).toBeGreaterThan(seen);
    stage.exporters[0]?.start();
    await stage.peace();
  });
});

describe('a later frame of the same session', () => {
  const signal = new AbortController().signal;
  const frame = (bench: ExportBench, letter: string, ageMs: number) => ({
    form: 'document' as const,
    bytes: new Uint8Array(
      Buffer.from(JSON.stringify({ letter, timestamp: (bench.clock.now() - ageMs) / 1000 })),
    ),
    ordinal: 1,
    peerTime: bench.clock.now(),
    receivedAt: bench.clock.monotonic(),
    fromControlPlane: true,
  });

  /** A, B, A: the other exporter has seen all three, this one is connected to a node that is behind. */
  const behind = async (firstAgeMs: number) => {
    const bench = new ExportBench();
    const store = await bench.store('s');
    const other = new ExportBench(bench.clock);
    other.sent.push({ letter: 'a' });
    await (await other.exporter([store])).once({ signal });
    // Its confirmation is due.
    bench.clock.jump(500_000);
    const { line } = await bench.exporter([store]);
    const first = await line.settle(await line.readHeads(signal), frame(bench, 'a', firstAgeMs), {
      signal,
      confirm: 'always',
    });
    if (typeof first === 'string') throw new Error(first);
    expect(first.outcome.outcome).toBe('confirmed');
    bench.clock.jump(1000);
    const options = { signal, confirm: 'always' as const, ownNonce: first.nonce };
    return line.settle(first.heads, frame(bench, 'b', 500_000), options);
  };

  it('needs the margin when the earlier one only said the same as an older head', async () => {
    expect(await behind(560_000)).toBe('too close');
    expect(await behind(500_000)).toBe('too close');
  });

  it('needs none when this exporter published the earlier one', async () => {
    const bench = new ExportBench();
    const { line } = await bench.exporter([await bench.store('s')]);
    const options = { signal, confirm: 'always' as const };
    const first = await line.settle(await line.readHeads(signal), frame(bench, 'a', 0), options);
    if (typeof first === 'string') throw new Error(first);
    bench.clock.jump(100);
    const second = await line.settle(first.heads, frame(bench, 'b', 0), {
      ...options,
      ownNonce: first.nonce,
    });
    expect(second).toMatchObject({ outcome: { outcome: 'published' } });
  });
});

describe('ten exporters, two stores, 200 changes', () => {
  it.each([11, 12, 13])(
    'with kills, stops and a store emptied: heads never go back (seed %i)',
    async (seed) => {
      const plan = (index: number) => ({
        name: `exporter${index}`,
        kind: 'follow' as const,
        skewMs: (index - 5) * 240_000,
        stopChance: 0,
        longestStopMs: 120_000,
        confirmIntervalMs: INTERVAL_MS,
        delayMs: 5000,
        marginMs: 4000,
      });
      const stage = await Stage.open(seed, {
        exporters: Array.from({ length: 10 }, (_, index) => plan(index)),
        storeSkewsMs: [300_000, 300_100],
        repeatedContent: 0.5,
        longestStopMs: 120_000,
        maxVersions: 200,
        troubleMs: 1_200_000,
        meanGapsMs: { ...NOTHING, change: 5000, stop: 20_000, kill: 20_000 },
      });
      const emptied = stage.world.now + 600_000;
      stage.world.at(emptied, () => void stage.storages[seed % 2]?.empty());
      await stage.trouble();
      await stage.peace();
      expect(stage.database.current.number).toBe(200);
      expect(stage.truth.violations).toEqual([]);
      console.log(`seed ${seed}: ${stage.truth.heads} heads for 200 changes by ten exporters`);
    },
  );
});
