// Retention never removes what a readable head reaches: also not what only one of several stores listed.
import { beforeEach, describe, expect, it } from 'vitest';
import { collect } from '../../src/export/collect.ts';
import { silentLogger } from '../../src/observe/index.ts';
import type { GuardedStore } from '../../src/snapshot/guarded-store.ts';
import { ExportBench } from '../unit/export/bench.ts';

const signal = new AbortController().signal;
const DAY_MS = 86_400_000;

describe('two stores that went their own ways', () => {
  let bench: ExportBench;
  let one: GuardedStore;
  let two: GuardedStore;

  const exported = async (letter: string, stores: readonly GuardedStore[]) => {
    bench.sent.splice(0, bench.sent.length, { letter });
    return (await bench.exporter(stores)).once({ signal });
  };
  const head = async (store: GuardedStore) => (await bench.line(store).readHead({ signal }))?.head;
  const collected = async (store: GuardedStore) => {
    const current = await head(store);
    if (current === undefined) throw new Error('there is a head');
    return collect(bench.line(store), current, { now: bench.clock.now(), log: silentLogger, signal });
  };

  beforeEach(async () => {
    bench = new ExportBench();
    one = await bench.store('one');
    two = await bench.store('two');
    await exported('a', [two]);
    bench.clock.jump(2 * DAY_MS);
    await exported('b', [one]);
    bench.clock.jump(700_000);
  });

  it('a snapshot that only the replaced head listed stays for a day more, and is deleted then', async () => {
    const [orphan] = (await head(two))?.entries ?? [];
    expect((await exported('b', [one, two])).outcome).toBe('confirmed');
    expect((await head(two))?.delisted.map(({ key }) => key)).toEqual([orphan?.key]);
    bench.clock.jump(DAY_MS - 60_000);
    expect(await collected(two)).toEqual([]);
    bench.clock.jump(60_001);
    expect(await collected(two)).toEqual([orphan?.key]);
  });

  it('what both list is never deleted, however old it is', async () => {
    await exported('b', [one, two]);
    bench.clock.jump(100 * DAY_MS);
    for (const store of [one, two]) {
      await collected(store);
      const entries = (await head(store))?.entries ?? [];
      for (const { key } of entries) {
        expect(await store.read(`3.9.3/${key}`, { maxBytes: 10_000, signal })).toBeDefined();
      }
    }
  });
});
