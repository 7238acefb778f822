import { beforeEach, describe, expect, it } from 'vitest';
import type { GuardedStore } from '../../../src/snapshot/guarded-store.ts';
import { ExportBench } from './bench.ts';

const signal = new AbortController().signal;

describe('export, once', () => {
  let bench: ExportBench;
  let store: GuardedStore;

  const current = async (from = store) => {
    const reading = await bench.line(from).readHead({ signal });
    if (reading === undefined) throw new Error('there is no head');
    return reading.head;
  };

  beforeEach(async () => {
    bench = new ExportBench();
    store = await bench.store('s');
  });

  it('publishes the first configuration with two writes', async () => {
    bench.sent.push({ letter: 'a' });
    const outcome = await (await bench.exporter([store])).once({ signal });
    expect(outcome.outcome).toBe('published');
    expect(store.counts.put).toBe(2);
    expect((await current()).entries[0]?.configHash).toBe('a'.repeat(32));
  });

  it('writes nothing when nothing changed and no confirmation is due', async () => {
    bench.sent.push({ letter: 'a' });
    const exporter = await bench.exporter([store]);
    await exporter.once({ signal });
    bench.clock.jump(599_000);
    const before = store.counts.put;
    expect((await exporter.once({ signal })).outcome).toBe('unchanged');
    expect(store.counts.put - before).toBe(0);
  });

  it('writes the head alone when its confirmation is due, and raises asOf with it', async () => {
    bench.sent.push({ letter: 'a' });
    const exporter = await bench.exporter([store]);
    await exporter.once({ signal });
    const first = await current();
    bench.clock.jump(600_000);
    const before = store.counts.put;
    expect((await exporter.once({ signal })).outcome).toBe('confirmed');
    expect(store.counts.put - before).toBe(1);
    const second = await current();
    expect(second.sequence).toBeGreaterThan(first.sequence);
    expect(Date.parse(second.entries[0]?.asOf ?? '') - Date.parse(first.entries[0]?.asOf ?? '')).toBe(
      600_000,
    );
    expect(second.entries[0]?.key).toBe(first.entries[0]?.key);
  });

  it('keeps as many snapshots as told, and notes what left the list', async () => {
    const exporter = await bench.exporter([store]);
    for (const letter of ['a', 'b', 'c', 'd']) {
      bench.sent.splice(0, bench.sent.length, { letter });
      await exporter.once({ signal });
      bench.clock.jump(60_000);
    }
    const head = await current();
    expect(head.entries.map(({ configHash }) => configHash?.[0])).toEqual(['d', 'c', 'b']);
    expect(head.delisted).toHaveLength(1);
  });

  it('does not let a cached configuration of a dead database replace a newer one', async () => {
    bench.sent.push({ letter: 'b' });
    const exporter = await bench.exporter([store]);
    await exporter.once({ signal });
    bench.clock.jump(60_000);
    bench.sent.splice(0, 1, { letter: 'a', ageMs: 3_600_000 });
    const outcome = await exporter.once({ signal });
    expect(outcome.outcome).toBe('older');
    expect((await current()).entries[0]?.configHash).toBe('b'.repeat(32));
  });

  it('looks again, with a new session, when another exporter was faster', async () => {
    const other = new ExportBench();
    other.sent.push({ letter: 'e', ageMs: 60_000 });
    const foreign = await other.exporter([store]);
    bench.sent.push(
      { letter: 'b', onOpen: async () => void (await foreign.once({ signal })) },
      { letter: 'b' },
    );
    bench.clock.jump(60_000);
    const outcome = await (await bench.exporter([store])).once({ signal });
    expect(outcome.outcome).toBe('published');
    expect(bench.opened).toBe(2);
    expect((await current()).entries.map(({ configHash }) => configHash?.[0])).toEqual(['b', 'e']);
  });

  it('gives up, loudly, on configurations whose age cannot be told', async () => {
    bench.sent.push({ letter: 'a', noClock: true });
    const exporter = await bench.exporter([store]);
    await expect(exporter.once({ signal })).rejects.toMatchObject({ code: 'KF_CP_CLOCK_UNUSABLE' });
    expect(store.counts.put).toBe(0);
  });

  describe('refusals', () => {
    const shrunk = {
      code: 'shrinkage/total',
      severity: 'error',
      message: 'it shrank',
      acceptable: true,
    } as const;
    const broken = { code: 'kong-schema/x', severity: 'error', message: 'it is broken' } as const;

    beforeEach(async () => {
      bench.sent.push({ letter: 'a' });
      await (await bench.exporter([store])).once({ signal });
      bench.clock.jump(60_000);
      bench.sent.length = 0;
    });

    const refusedKeys = async () => (await bench.line(store).listRefused({ signal })).map(({ key }) => key);

    it('leaves the former configuration in place and keeps the refused one aside, once', async () => {
      bench.sent.push({ letter: 'b', findings: [shrunk] });
      const exporter = await bench.exporter([store]);
      expect((await exporter.once({ signal })).outcome).toBe('refused');
      expect((await exporter.once({ signal })).outcome).toBe('refused');
      expect((await current()).entries[0]?.configHash).toBe('a'.repeat(32));
      expect(await refusedKeys()).toHaveLength(2);
    });

    it('keeps the newest five', async () => {
      const exporter = await bench.exporter([store]);
      for (const letter of ['b', 'c', 'd', 'e', 'f', '1', '2']) {
        bench.sent.splice(0, 1, { letter, findings: [broken] });
        await exporter.once({ signal });
        bench.clock.jump(1000);
      }
      expect((await refusedKeys()).filter((key) => key.endsWith('.kfs'))).toHaveLength(5);
    });

    it('publishes what an operator accepts, and records why', async () => {
      bench.sent.push({ letter: 'b', findings: [shrunk] });
      const outcome = await (await bench.exporter([store])).once({ signal, acceptReason: 'tenant left' });
      expect(outcome.outcome).toBe('published');
      expect((await current()).entries[0]?.accepted).toEqual({
        codes: ['shrinkage/total'],
        reason: 'tenant left',
        by: 'bench',
      });
    });

    it('does not let an operator accept what no data plane would load', async () => {
      bench.sent.push({ letter: 'b', findings: [shrunk, broken] });
      const outcome = await (await bench.exporter([store])).once({ signal, acceptReason: 'hurry' });
      expect(outcome.outcome).toBe('refused');
    });
  });

  describe('several stores', () => {
    const dead = () => {
      const fail = async () => {
        throw Object.assign(new Error('gone'), { kind: 'unavailable' });
      };
      return {
        get: fail,
        put: fail,
        delete: fail,
        list: async function* () {
          yield* [];
          await fail();
        },
      };
    };

    it('gives every store the identical head', async () => {
      bench.sent.push({ letter: 'a' });
      const second = await bench.store('t');
      await (await bench.exporter([store, second])).once({ signal });
      const [one, two] = await Promise.all(
        [store, second].map((from) => bench.line(from).readHead({ signal })),
      );
      expect(Buffer.from(one?.bytes ?? []).equals(Buffer.from(two?.bytes ?? [1]))).toBe(true);
    });

    it('levels a store that was emptied: every snapshot, and the identical head', async () => {
      const second = await bench.store('t');
      const exporter = await bench.exporter([store, second]);
      for (const letter of ['a', 'b']) {
        bench.sent.splice(0, 1, { letter });
        await exporter.once({ signal });
        bench.clock.jump(60_000);
      }
      for await (const { key } of second.list('', { signal })) await second.delete(key, { signal });

      expect((await exporter.once({ signal })).outcome).toBe('confirmed');
      const [one, two] = await Promise.all(
        [store, second].map((from) => bench.line(from).readHead({ signal })),
      );
      expect(Buffer.from(one?.bytes ?? []).equals(Buffer.from(two?.bytes ?? [1]))).toBe(true);
      const keys: string[] = [];
      for await (const { key } of second.list('3.9.3/snapshots/', { signal })) keys.push(key);
      expect(keys.sort()).toEqual((two?.head.entries ?? []).map(({ key }) => `3.9.3/${key}`).sort());
      expect(keys).toHaveLength(2);
    });

    it('gives no head to a store that cannot take the snapshot it names', async () => {
      bench.sent.push({ letter: 'a' });
      await (await bench.exporter([store])).once({ signal });
      const full = await bench.store('full');
      const put = full.put.bind(full);
      full.put = (key, body, options) =>
        key.includes('snapshots/') ? Promise.reject(new Error('disk full')) : put(key, body, options);
      const outcome = await (await bench.exporter([store, full])).once({ signal });
      expect(outcome.outcome).toBe('confirmed');
      expect(await bench.line(full).readHead({ signal })).toBeUndefined();
    });

    it('succeeds with one of them, and says which failed', async () => {
      bench.sent.push({ letter: 'a' });
      const outcome = await (await bench.exporter([await bench.store('dead', dead()), store])).once({
        signal,
      });
      expect(outcome.outcome).toBe('published');
      expect(outcome.stores.map(({ store: id, outcome: result }) => `${id} ${result}`).sort()).toEqual([
        'dead failed',
        's written',
      ]);
    });

    it('fails with the store that failed, where all must have it', async () => {
      bench.sent.push({ letter: 'a' });
      const stores = [await bench.store('dead', dead()), store];
      const exporter = await bench.exporter(stores, { successPolicy: 'all' });
      await expect(exporter.once({ signal })).rejects.toMatchObject({ kind: 'unavailable' });
    });

    it('fails when none can be read', async () => {
      bench.sent.push({ letter: 'a' });
      const exporter = await bench.exporter([await bench.store('dead', dead())]);
      await expect(exporter.once({ signal })).rejects.toMatchObject({ kind: 'unavailable' });
      expect(bench.opened).toBe(0);
    });
  });
});
