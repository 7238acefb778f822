import { beforeEach, describe, expect, it } from 'vitest';
import memory from '../../../plugins/storage/memory/index.ts';
import { collect } from '../../../src/export/collect.ts';
import { Housekeeping } from '../../../src/export/housekeeping.ts';
import { Findings, silentLogger } from '../../../src/observe/index.ts';
import type { ObjectStore } from '../../../src/plugin/index.ts';
import type { GuardedStore } from '../../../src/snapshot/guarded-store.ts';
import { pluginContext } from '../../../src/testing/index.ts';
import { type BenchExporter, ExportBench } from './bench.ts';

const signal = new AbortController().signal;
const HOUR = 3_600_000;

let bench: ExportBench;
let store: GuardedStore;
let exporter: BenchExporter;

beforeEach(async () => {
  bench = new ExportBench();
  store = await bench.store('s');
  exporter = await bench.exporter([store], { keep: { last: 1, hourly: 0, daily: 0 } });
});

async function publish(...letters: string[]): Promise<void> {
  for (const letter of letters) {
    bench.sent.splice(0, bench.sent.length, { letter });
    await exporter.once({ signal });
    bench.clock.jump(60_000);
  }
}

const headOf = async (from: GuardedStore) => (await bench.line(from).readHead({ signal }))?.head;
const keysOf = async (from: GuardedStore) =>
  (await bench.line(from).listSnapshots({ signal })).map(({ key }) => key).sort();

describe('retention', () => {
  const run = async (now: number) => {
    const head = await headOf(store);
    if (head === undefined) throw new Error('there is no head');
    return collect(bench.line(store), head, { now, log: silentLogger, signal });
  };

  it('deletes what the head stopped listing, 24 hours later and not before', async () => {
    await publish('a', 'b');
    const delisted = Date.parse((await headOf(store))?.delisted[0]?.since ?? '');
    expect(await run(delisted + 24 * HOUR - 1)).toEqual([]);
    expect(await keysOf(store)).toHaveLength(2);
    expect(await run(delisted + 24 * HOUR)).toHaveLength(1);
    expect(await keysOf(store)).toEqual([(await headOf(store))?.entries[0]?.key]);
  });

  it('deletes an orphan when it is older than a day, since a younger one may be half-way to a head', async () => {
    await publish('a');
    const orphan = `snapshots/${'0'.repeat(16)}-${'1'.repeat(16)}.kfs`;
    await bench.line(store).putSnapshot(orphan, new Uint8Array(3), { signal });
    const written = (await bench.line(store).listSnapshots({ signal })).find(({ key }) => key === orphan);
    const at = written?.modifiedAt?.getTime() ?? Number.NaN;
    expect(await run(at + 24 * HOUR - 1)).toEqual([]);
    expect(await run(at + 24 * HOUR)).toEqual([orphan]);
  });

  it('never deletes what the head lists, whatever the clock says', async () => {
    await publish('a');
    expect(await run(Number.MAX_SAFE_INTEGER)).toEqual([]);
  });
});

describe('the current snapshot', () => {
  let findings: Findings;
  let warnings: object[];

  /** Takes everything and gives heads only: what its policy forbids, nobody sees before this. */
  const forbidding = async (): Promise<GuardedStore> => {
    const inner = await memory.create({}, pluginContext({ id: 't', clock: bench.clock }));
    const get: ObjectStore['get'] = async (key, options) => {
      if (key.endsWith('head.json')) return inner.get(key, options);
      throw Object.assign(new Error('not allowed'), { kind: 'denied' });
    };
    const { put, list, delete: remove } = inner;
    return bench.store('t', {
      get,
      put: put.bind(inner),
      list: list.bind(inner),
      delete: remove.bind(inner),
    });
  };

  const keep = async (stores: GuardedStore[]) => {
    exporter = await bench.exporter(stores, { keep: { last: 1, hourly: 0, daily: 0 } });
    findings = new Findings(bench.clock, silentLogger);
    warnings = [];
    const log = { ...silentLogger, warn: (fields: object) => void warnings.push(fields) };
    return new Housekeeping(exporter.line, { clock: bench.clock, log, findings });
  };

  async function damage(from: GuardedStore): Promise<string> {
    const key = (await headOf(from))?.entries[0]?.key ?? '';
    await from.delete(`3.9.3/${key}`, { signal });
    await from.put(`3.9.3/${key}`, new Uint8Array(7), { ifAbsent: true, signal });
    return key;
  }

  it('that is damaged in one store is brought back from another', async () => {
    const second = await bench.store('t');
    const housekeeping = await keep([store, second]);
    await publish('a');
    await damage(store);
    bench.clock.jump(HOUR);
    await housekeeping.run(signal);
    expect(findings.list()).toEqual([]);
    const entry = (await headOf(store))?.entries[0];
    const read = await store.read(`3.9.3/${entry?.key}`, { maxBytes: 1e6, signal });
    expect(typeof read === 'object' && read.bytes.length).toBe(entry?.sealed.length);
  });

  it('that no store holds any more is critical, and is published anew with the next look', async () => {
    const housekeeping = await keep([store]);
    await publish('a');
    const lost = await damage(store);
    bench.clock.jump(HOUR);
    await housekeeping.run(signal);
    expect(findings.list()).toMatchObject([{ code: 'snapshot-damaged', severity: 'critical' }]);

    const outcome = await exporter.once({ signal });
    expect(outcome.outcome).toBe('published');
    const head = await headOf(store);
    expect(head?.entries[0]?.configHash).toBe('a'.repeat(32));
    // Readable snapshots of one document are one object.
    expect(head?.entries[0]?.key).toBe(lost);
    const read = await store.read(`3.9.3/${lost}`, { maxBytes: 1e6, signal });
    expect(typeof read === 'object' && read.bytes.length).toBe(head?.entries[0]?.sealed.length);
  });

  it('that is damaged is brought back from a third store when the second gives nothing', async () => {
    const forbidden = await forbidding();
    const third = await bench.store('u');
    const housekeeping = await keep([store, forbidden, third]);
    await publish('a');
    const key = await damage(store);
    bench.clock.jump(HOUR);
    await housekeeping.run(signal);
    expect(findings.list()).toEqual([]);
    const read = await store.read(`3.9.3/${key}`, { maxBytes: 1e6, signal });
    expect(typeof read === 'object' && read.bytes.length).toBe(
      (await headOf(store))?.entries[0]?.sealed.length,
    );
  });

  it('that is damaged is critical also when another store might have it and gives nothing', async () => {
    const housekeeping = await keep([store, await forbidding()]);
    await publish('a');
    await damage(store);
    bench.clock.jump(HOUR);
    await housekeeping.run(signal);
    expect(findings.list()).toMatchObject([{ code: 'snapshot-damaged', about: '3.9.3 s' }]);
  });

  it('that one store does not give keeps no other store from being looked after', async () => {
    const housekeeping = await keep([await forbidding(), store]);
    await publish('a', 'b');
    expect(await keysOf(store)).toHaveLength(2);
    bench.clock.jump(25 * HOUR);
    await housekeeping.run(signal);
    expect(await keysOf(store)).toHaveLength(1);
    expect(warnings).toContainEqual(
      expect.objectContaining({ event: 'housekeeping.failed', store: 't', code: 'KF_PLUGIN_DENIED' }),
    );
  });

  it('is left alone once the exporter stops', async () => {
    const housekeeping = await keep([store]);
    await publish('a');
    bench.clock.jump(HOUR);
    await expect(housekeeping.run(AbortSignal.abort())).rejects.toMatchObject({ kind: 'aborted' });
    expect(warnings).toEqual([]);
  });

  it('is not looked at more often than every hour', async () => {
    const housekeeping = await keep([store]);
    await publish('a');
    bench.clock.jump(HOUR);
    await housekeeping.run(signal);
    const gets = store.counts.get;
    bench.clock.jump(HOUR - 1);
    await housekeeping.run(signal);
    expect(store.counts.get).toBe(gets);
  });
});

describe('older snapshots that one store lost', () => {
  it('are brought back one in a round from another store, and stand as a finding until all are there', async () => {
    const second = await bench.store('t');
    exporter = await bench.exporter([store, second], { keep: { last: 4, hourly: 0, daily: 0 } });
    const findings = new Findings(bench.clock, silentLogger);
    const housekeeping = new Housekeeping(exporter.line, { clock: bench.clock, log: silentLogger, findings });
    await publish('a', 'b', 'c', 'd');
    const all = await keysOf(second);
    const [, ...older] = (await headOf(store))?.entries ?? [];
    expect(older).toHaveLength(3);
    for (const { key } of older) await store.delete(`3.9.3/${key}`, { signal });
    // One of them is in no store any more.
    await second.delete(`3.9.3/${older[0]?.key}`, { signal });

    const round = async () => {
      bench.clock.jump(HOUR);
      await housekeeping.run(signal);
      return (await keysOf(store)).length;
    };
    expect(await round()).toBe(2);
    expect(findings.list()).toMatchObject([
      { code: 'snapshots-missing', about: '3.9.3 s', message: expect.stringContaining('lacks 2 of the 4') },
      { code: 'snapshots-missing', about: '3.9.3 t', message: expect.stringContaining('lacks 1 of the 4') },
    ]);
    expect(await round()).toBe(3);
    expect(await round()).toBe(3);
    await bench
      .line(second)
      .putSnapshot(older[0]?.key ?? '', new Uint8Array(older[0]?.sealed.length ?? 0), { signal });
    expect(await round()).toBe(3);
    expect(await keysOf(second)).toEqual(all);
    expect(findings.list().map(({ about }) => about)).toEqual(['3.9.3 s']);
  });
});

describe('a store that breaks conditions under a race', () => {
  it('is caught by reading back: the exporter looks again', async () => {
    await publish('a');
    const put = store.put.bind(store);
    let races = 1;
    store.put = async (key, body, options) => {
      const written = await put(key, body, options);
      if (key.endsWith('head.json') && races-- > 0) {
        // Another exporter's write is taken as well, although its condition does not hold any more.
        const other = new ExportBench(bench.clock);
        other.sent.push({ letter: 'f' });
        store.put = put;
        await (await other.exporter([store])).once({ signal });
      }
      return written;
    };
    bench.sent.splice(0, bench.sent.length, { letter: 'b' });
    const opened = bench.opened;
    const outcome = await exporter.once({ signal });
    expect(bench.opened - opened).toBeGreaterThan(1);
    expect(['published', 'older']).toContain(outcome.outcome);
  });
});
