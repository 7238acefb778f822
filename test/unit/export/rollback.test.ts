// A rollback, and everything that must not undo it. Stores, sealing and heads are real; time and the control plane are not.
import { beforeEach, describe, expect, it } from 'vitest';
import { LineFollower } from '../../../src/export/follow.ts';
import { LineStatus } from '../../../src/export/line-status.ts';
import { planLineRollback, resumeLine, writeRollback } from '../../../src/export/rollback.ts';
import type { RollbackOrder } from '../../../src/export/rollback-plan.ts';
import { Findings, silentLogger } from '../../../src/observe/index.ts';
import type { GuardedStore } from '../../../src/snapshot/guarded-store.ts';
import { FakeClock } from '../../../src/testing/index.ts';
import { errorOf } from '../snapshot/sample-head.ts';
import { type BenchExporter, ExportBench } from './bench.ts';
import { FakeControlPlane } from './fake-control-plane.ts';
import { T0 } from './heads.ts';

const signal = new AbortController().signal;
const MINUTE = 60_000;
const INTERVAL = 10 * MINUTE;

let clock: FakeClock;
let bench: ExportBench;
let stores: GuardedStore[];
let exporter: BenchExporter;

beforeEach(async () => {
  clock = new FakeClock({ now: T0, runs: true });
  bench = new ExportBench(clock);
  stores = [await bench.store('one'), await bench.store('two')];
  exporter = await bench.exporter(stores);
});

const headOf = async (store = stores[0] as GuardedStore) => {
  const reading = await bench.line(store).readHead({ signal });
  if (reading === undefined) throw new Error('there is no head');
  return reading.head;
};
const lettersOf = async (store?: GuardedStore) =>
  (await headOf(store)).entries.map(({ configHash }) => configHash?.[0]).join('');

async function empty(store: GuardedStore): Promise<void> {
  for await (const { key } of store.list('', { signal })) await store.delete(key, { signal });
  expect(await bench.line(store).readHead({ signal })).toBeUndefined();
}

/** As a new process of its own. */
async function receive(letter: string, ageMs = 0, from = exporter): Promise<string> {
  bench.sent.splice(0, bench.sent.length, { letter, ageMs });
  return (await from.once({ signal })).outcome;
}

async function published(...letters: string[]): Promise<void> {
  for (const letter of letters) {
    expect(await receive(letter)).toBe('published');
    clock.jump(MINUTE);
  }
}

async function rollback(over: Partial<RollbackOrder> = {}, line = exporter.line) {
  const order = { snapshot: 'previous', by: 'ops', reason: 'broke login', until: null, ...over };
  return writeRollback(await planLineRollback(line, order, signal), { clock, signal });
}

describe('a rollback', () => {
  it('puts the snapshot first in every store, above every sequence, and says what is held back', async () => {
    await published('a', 'b');
    const before = await headOf();
    const { sequence } = await rollback();
    for (const store of stores) {
      const head = await headOf(store);
      expect(head.sequence).toBe(sequence);
      expect(sequence).toBeGreaterThan(before.sequence);
      expect(head.hold).toMatchObject({ by: 'ops', reason: 'broke login', until: null });
      expect(head.hold?.rejected.map(({ configHash }) => configHash?.[0])).toEqual(['b']);
      expect(head.hold?.target).toBe(head.entries[0]?.document.sha256);
      expect(head.entries[0]?.sequence).toBe(sequence);
      expect(await lettersOf(store)).toBe('ab');
      // Nobody looked, and nothing was confirmed.
      expect(head.aliveAt).toBe(before.aliveAt);
      expect(head.confirmedAt).toBe(head.entries[0]?.asOf);
    }
  });

  it('rejects what a rollback in force rejects, too, and never its own target', async () => {
    await published('a', 'b', 'c');
    await rollback();
    await rollback({ snapshot: 'aaaaaaaa' });
    const rejected = async () => (await headOf()).hold?.rejected.map(({ configHash }) => configHash?.[0]);
    expect(await rejected()).toEqual(['b', 'c']);
    await rollback({ snapshot: 'cccccccc' });
    expect(await rejected()).toEqual(['a', 'b']);
    expect((await lettersOf())[0]).toBe('c');
  });

  it('told again it is the same hold, brought to a store that was away', async () => {
    await published('a', 'b');
    const [one] = stores as [GuardedStore];
    await rollback({}, (await bench.exporter([one])).line);
    const { hold } = await headOf(one);
    await rollback({ snapshot: 'aaaaaaaa' });
    expect((await headOf(stores[1])).hold).toEqual(hold);
    expect((await headOf(stores[1])).nonce).toBe((await headOf(one)).nonce);
  });

  it('reports a store that fails, whatever the policy of the exporter is', async () => {
    await published('a', 'b');
    const strict = await bench.exporter(stores, { successPolicy: 'all' });
    const [, two] = stores as [GuardedStore, GuardedStore];
    two.put = () => Promise.reject(Object.assign(new Error('gone'), { kind: 'unavailable' }));
    const { stores: results } = await rollback({}, strict.line);
    expect(results.map(({ outcome }) => outcome)).toEqual(['written', 'failed']);
    expect((await headOf()).hold).not.toBeNull();
  });

  it.each<[string, Partial<RollbackOrder>, string]>([
    ['a sequence that is not kept', { snapshot: '12' }, 'KF_ROLLBACK_UNKNOWN_SNAPSHOT'],
    ['a prefix that is too short', { snapshot: 'aaaa' }, 'KF_ROLLBACK_UNKNOWN_SNAPSHOT'],
    ['no hash', { snapshot: '../head' }, 'KF_ROLLBACK_UNKNOWN_SNAPSHOT'],
    ['what is current', { snapshot: 'bbbbbbbb' }, 'KF_ROLLBACK_CURRENT'],
    ['an end that has passed', { until: T0 }, 'KF_USAGE'],
  ])('refuses %s and writes nothing', async (_what, over, code) => {
    await published('a', 'b');
    const before = await headOf();
    expect(await errorOf(() => rollback(over))).toMatchObject({ kind: 'invalid', code });
    expect(await headOf()).toEqual(before);
  });

  it('refuses where nothing was published, or nothing else', async () => {
    expect(await errorOf(() => rollback())).toMatchObject({ code: 'KF_HEAD_MISSING' });
    await published('a');
    expect(await errorOf(() => rollback())).toMatchObject({ code: 'KF_ROLLBACK_UNKNOWN_SNAPSHOT' });
  });

  it('is not written over a configuration that arrived while the operator looked at another', async () => {
    await published('a', 'b');
    const order = { snapshot: 'previous', by: 'ops', reason: 'broke login', until: null };
    const planned = await planLineRollback(exporter.line, order, signal);
    await published('c');
    expect(await errorOf(() => writeRollback(planned, { clock, signal }))).toMatchObject({
      kind: 'conflict',
      code: 'KF_ROLLBACK_OVERTAKEN',
    });
    expect(await lettersOf()).toBe('cba');
  });

  it('is written over a confirmation that came in between', async () => {
    await published('a', 'b');
    const order = { snapshot: 'previous', by: 'ops', reason: 'broke login', until: null };
    const planned = await planLineRollback(exporter.line, order, signal);
    clock.jump(INTERVAL);
    expect(await receive('b')).toBe('confirmed');
    await writeRollback(planned, { clock, signal });
    expect(await lettersOf()).toBe('ab');
  });
});

describe('while a rollback is in force', () => {
  beforeEach(async () => {
    await published('a', 'b', 'c');
    await rollback({ snapshot: 'aaaaaaaa' });
  });

  it('obeys throughout: restart, levelling, the rejected one again, and ends with another', async () => {
    const { hold, entries } = await headOf();
    expect(await receive('c', 0, await bench.exporter(stores))).toBe('held');

    // A store is emptied; another exporter, which was just started, brings it back.
    await empty(stores[1] as GuardedStore);
    clock.jump(MINUTE);
    expect(await receive('c', 0, await bench.exporter(stores))).toBe('held');
    expect((await headOf(stores[1])).hold).toEqual(hold);
    expect((await headOf(stores[1])).entries).toEqual(entries);

    clock.jump(INTERVAL);
    expect(await receive('c', 0, await bench.exporter(stores))).toBe('held');
    expect(await receive('a', 0, await bench.exporter(stores))).toBe('confirmed');
    clock.jump(MINUTE);
    expect(await receive('c')).toBe('held');
    for (const store of stores) {
      expect(await lettersOf(store)).toBe('acb');
      expect((await headOf(store)).hold).toEqual(hold);
    }

    clock.jump(MINUTE);
    expect(await receive('d')).toBe('published');
    for (const store of stores) {
      expect(await lettersOf(store)).toMatch(/^da/);
      expect((await headOf(store)).hold).toBeNull();
    }
    clock.jump(MINUTE);
    expect(await receive('c')).toBe('published');
  });

  it('says on schedule that an exporter is there, and confirms nothing', async () => {
    const before = await headOf();
    expect(await receive('c')).toBe('held');
    expect(await headOf()).toEqual(before);
    clock.jump(INTERVAL);
    expect(await receive('c')).toBe('held');
    const after = await headOf();
    expect(Date.parse(after.aliveAt) - Date.parse(before.aliveAt)).toBeGreaterThanOrEqual(INTERVAL);
    expect(after.sequence).toBeGreaterThan(before.sequence);
    const { aliveAt: _a, nonce: _n, sequence: _s, ...kept } = after;
    expect(before).toMatchObject({ ...kept, controlPlane: kept.controlPlane });
  });

  it('"previous" means nothing clear, and is refused: the same command twice must not go back twice', async () => {
    const before = await headOf();
    expect(await errorOf(() => rollback())).toMatchObject({ code: 'KF_ROLLBACK_AMBIGUOUS_SNAPSHOT' });
    expect(await headOf()).toEqual(before);
  });

  it('a control plane that lags behind does not end it, although what it sends is newer than the target', async () => {
    expect(await receive('b', 4 * MINUTE)).toBe('older');
    expect(await lettersOf()).toBe('acb');
    expect((await headOf()).hold).not.toBeNull();
  });

  it('the target sealed anew, because it was damaged, is still held', async () => {
    exporter.line.republish((await headOf()).entries[0]?.key ?? '');
    clock.jump(MINUTE);
    expect(await receive('a')).toBe('published');
    const { hold, entries } = await headOf();
    expect(hold?.target).toBe(entries[0]?.document.sha256);
    expect(await receive('c')).toBe('held');
  });

  it('a refused configuration does not end it', async () => {
    const findings = [{ code: 'x/y', severity: 'error', message: 'broken' }] as const;
    bench.sent.splice(0, 1, { letter: 'd', findings });
    expect((await exporter.once({ signal })).outcome).toBe('refused');
    expect((await headOf()).hold).not.toBeNull();
  });

  it('ends with --resume, and what was rejected is published', async () => {
    const resumed = await resumeLine(exporter.line, { clock, signal });
    expect(resumed?.hold.reason).toBe('broke login');
    expect((await headOf()).hold).toBeNull();
    expect(await lettersOf()).toBe('acb');
    expect(await resumeLine(exporter.line, { clock, signal })).toBeUndefined();
    clock.jump(MINUTE);
    expect(await receive('c')).toBe('published');
  });
});

it('a rollback ends at its time', async () => {
  await published('a', 'b');
  await rollback({ until: clock.now() + 30 * MINUTE });
  clock.jump(29 * MINUTE);
  expect(await receive('b')).toBe('held');
  clock.jump(2 * MINUTE);
  expect(await receive('b')).toBe('published');
  expect((await headOf()).hold).toBeNull();
});

it('a rollback ends at its time although the control plane is down', async () => {
  await published('a', 'b');
  await rollback({ until: clock.now() + MINUTE });
  clock.jump(INTERVAL);
  await exporter.line.markAlive(await exporter.line.readHeads(signal), signal);
  expect((await headOf()).hold).toBeNull();
  expect(await lettersOf()).toBe('ab');
});

it('an exporter that keeps running raises the finding, and clears it', async () => {
  clock = new FakeClock({ now: T0 });
  bench = new ExportBench(clock);
  const store = await bench.store('s');
  stores = [store];
  const controlPlane = new FakeControlPlane(clock);
  controlPlane.set('a');
  const { line } = await bench.exporter(stores);
  const findings = new Findings(clock, silentLogger);
  const follower = new LineFollower(
    line,
    { delayMs: 1000, graceMs: 1000 },
    {
      source: controlPlane,
      clock,
      random: () => 0.5,
      log: silentLogger,
      findings,
      status: new LineStatus('3.9.3', clock.now()),
      housekeep: async () => {},
    },
  );
  const stop = new AbortController();
  const running = follower.run(stop.signal);
  await clock.advance(0);
  await clock.advance(MINUTE);
  controlPlane.push('b');
  await clock.advance(MINUTE);
  await rollback({}, line);
  controlPlane.push('b');
  await clock.advance(MINUTE);
  const held = () => findings.list().find(({ code }) => code === 'held');
  expect(held()?.message).toContain(
    `since ${(await headOf()).hold?.since}, by the rollback of ops: broke login`,
  );
  const { aliveAt } = await headOf();
  await clock.advance(INTERVAL);
  follower.confirm();
  await clock.advance(MINUTE);
  expect(Date.parse((await headOf()).aliveAt)).toBeGreaterThan(Date.parse(aliveAt));
  controlPlane.push('c');
  await clock.advance(MINUTE);
  expect(held()).toBeUndefined();
  expect(await lettersOf()).toBe('cab');
  stop.abort();
  await clock.advance(0);
  await running;
});
