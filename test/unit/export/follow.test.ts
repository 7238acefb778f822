import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LineFollower } from '../../../src/export/follow.ts';
import type { LineHeads } from '../../../src/export/line-heads.ts';
import { LineStatus } from '../../../src/export/line-status.ts';
import { aliveHead } from '../../../src/export/next-head.ts';
import type { LinePipeline } from '../../../src/export/pipeline.ts';
import { Findings, silentLogger } from '../../../src/observe/index.ts';
import type { GuardedStore } from '../../../src/snapshot/guarded-store.ts';
import { FakeClock } from '../../../src/testing/index.ts';
import { ExportBench } from './bench.ts';
import { FakeControlPlane } from './fake-control-plane.ts';
import { T0 } from './heads.ts';

const signal = new AbortController().signal;

describe('following a control plane', () => {
  let clock: FakeClock;
  let bench: ExportBench;
  let store: GuardedStore;
  let controlPlane: FakeControlPlane;
  let status: LineStatus;
  let findings: Findings;
  let follower: LineFollower;
  let stop: AbortController;
  let running: Promise<void>;

  beforeEach(async () => {
    clock = new FakeClock({ now: T0 });
    bench = new ExportBench(clock);
    store = await bench.store('s');
    controlPlane = new FakeControlPlane(clock);
    stop = new AbortController();
    housekeep = async () => undefined;
  });

  afterEach(async () => {
    stop.abort();
    await clock.advance(0);
    await running;
    expect(clock.sleeping).toBe(0);
  });

  /** What the exporter does after each configuration, with a line to do it with. */
  let housekeep: (line: LinePipeline, heads: LineHeads) => Promise<LineHeads | undefined>;

  async function start(stores = [store]): Promise<void> {
    const { line } = await bench.exporter(stores);
    status = new LineStatus('3.9.3', clock.now());
    findings = new Findings(clock, silentLogger);
    follower = new LineFollower(
      line,
      { delayMs: 5000, graceMs: 1000 },
      {
        source: controlPlane,
        clock,
        random: () => 0.5,
        log: silentLogger,
        findings,
        status,
        housekeep: (_, heads) => housekeep(line, heads),
      },
    );
    running = follower.run(stop.signal);
    await clock.advance(0);
  }

  const current = async () => (await bench.line(store).readHead({ signal }))?.head;
  const letter = async () => (await current())?.entries[0]?.configHash?.[0];
  const standing = () => findings.list().map(({ code }) => code);

  it('publishes the first change after a quiet time at once, and what follows after the delay, newest only', async () => {
    controlPlane.set('a');
    await start();
    expect(await letter()).toBe('a');
    await clock.advance(60_000);

    controlPlane.push('b');
    await clock.advance(0);
    expect(await letter()).toBe('b');

    for (const next of ['c', 'd', 'e']) {
      controlPlane.push(next);
      await clock.advance(1000);
    }
    expect(await letter()).toBe('b');
    await clock.advance(2000);
    expect(await letter()).toBe('e');
    expect((await current())?.entries.map(({ configHash }) => configHash?.[0])).toEqual(['e', 'b', 'a']);
  });

  it('follows A, B, A, however fast', async () => {
    controlPlane.set('a');
    await start();
    for (const next of ['b', 'a']) {
      controlPlane.push(next);
      await clock.advance(5000);
    }
    expect(await letter()).toBe('a');
    // Readable snapshots of one document are one object: it moved to the front again.
    expect((await current())?.entries.map(({ configHash }) => configHash?.[0])).toEqual(['a', 'b']);
  });

  it('follows on the same session when housekeeping wrote a head with the same configuration', async () => {
    housekeep = async (line, heads) => {
      const { base } = heads;
      if (base === undefined) throw new Error('nothing was published');
      const written = await line.replaceHead(heads, (facts) => aliveHead(base, facts, 'up'), signal);
      return written === 'conflict' ? undefined : heads.after(written.head, written.results);
    };
    controlPlane.set('a');
    await start();
    const first = (await current())?.sequence ?? 0;
    // Within the margin: only its own head may be replaced so soon.
    controlPlane.push('b');
    await clock.advance(5000);
    expect(await letter()).toBe('b');
    expect((await current())?.sequence).toBeGreaterThan(first);
    expect(controlPlane.dialled).toBe(1);
  });

  it('retries a failed upload until it succeeds, although the control plane died meanwhile', async () => {
    controlPlane.set('a');
    await start();
    await clock.advance(60_000);
    const put = store.put.bind(store);
    store.put = () => Promise.reject(Object.assign(new Error('gone'), { kind: 'unavailable' }));
    controlPlane.push('b');
    await clock.advance(0);
    controlPlane.die();
    await clock.advance(120_000);
    expect(await letter()).toBe('a');
    expect(standing()).toContain('stores-unwritable');
    expect(status.state.pendingSince).not.toBeNull();

    store.put = put;
    await clock.advance(61_000);
    expect(await letter()).toBe('b');
    expect(standing()).not.toContain('stores-unwritable');
    expect(status.state.pendingSince).toBeNull();
  });

  it('reconnects after a loss, with pauses, and says so once', async () => {
    controlPlane.set('a');
    await start();
    controlPlane.die();
    await clock.advance(0);
    expect(status.state.controlPlane).toBe('down');
    expect(standing()).toEqual(['control-plane-unreachable']);
    await clock.advance(120_000);
    expect(controlPlane.dialled).toBeLessThan(12);
    controlPlane.set('b');
    await clock.advance(31_000);
    expect(status.state.controlPlane).toBe('up');
    expect(standing()).toEqual([]);
    expect(await letter()).toBe('b');
  });

  describe('confirmation', () => {
    beforeEach(async () => {
      controlPlane.set('a');
      await start();
      await clock.advance(600_000);
    });

    it('takes a fresh session, and closes the former one after its frame', async () => {
      const before = await current();
      follower.confirm();
      await clock.advance(0);
      const after = await current();
      expect(Date.parse(after?.confirmedAt ?? '')).toBeGreaterThan(Date.parse(before?.confirmedAt ?? ''));
      // What it sends is as old as its last export: only a new one would raise asOf.
      expect(after?.entries[0]?.asOf).toBe(before?.entries[0]?.asOf);
      expect(controlPlane.sessions).toBe(1);
      expect(controlPlane.dialled).toBe(2);
    });

    it('does not happen without a frame: the finding is cp-silent, and the head says only that somebody watches', async () => {
      const before = await current();
      controlPlane.silent = true;
      follower.confirm();
      await clock.advance(0);
      expect(controlPlane.sessions).toBe(2);
      controlPlane.endSilent();
      await clock.advance(0);
      const after = await current();
      expect(standing()).toEqual(['cp-silent']);
      expect(findings.list()[0]?.severity).toBe('critical');
      expect(after?.confirmedAt).toBe(before?.confirmedAt);
      expect(Date.parse(after?.aliveAt ?? '')).toBeGreaterThan(Date.parse(before?.aliveAt ?? ''));
      expect(after?.controlPlane.state).toBe('down');
      // The former session still brings changes.
      expect(controlPlane.sessions).toBe(1);
    });

    it('of a control plane that is down writes aliveAt, once for each interval', async () => {
      controlPlane.die();
      await clock.advance(600_000);
      const before = await current();
      follower.confirm();
      follower.confirm();
      await clock.advance(100);
      const after = await current();
      expect((after?.sequence ?? 0) - (before?.sequence ?? 0)).toBeGreaterThan(0);
      expect(after?.confirmedAt).toBe(before?.confirmedAt);
      const puts = store.counts.put;
      follower.confirm();
      await clock.advance(100);
      expect(store.counts.put).toBe(puts);
    });
  });

  it('is loud about a refused configuration, and critical after 15 minutes', async () => {
    controlPlane.set('a');
    await start();
    await clock.advance(60_000);
    controlPlane.push('b', [{ code: 'shrinkage/total', severity: 'error', message: 'it shrank' }]);
    await clock.advance(0);
    expect(await letter()).toBe('a');
    expect(findings.list()).toMatchObject([{ code: 'configuration-refused', severity: 'warning' }]);
    await clock.advance(900_000);
    follower.confirm();
    await clock.advance(0);
    expect(findings.list()).toMatchObject([{ code: 'configuration-refused', severity: 'critical' }]);
    controlPlane.push('c');
    await clock.advance(5000);
    expect(findings.list()).toEqual([]);
    expect(await letter()).toBe('c');
  });

  it('looks again with a new session when another exporter was faster', async () => {
    controlPlane.set('a');
    await start();
    await clock.advance(60_000);
    const other = new ExportBench(clock);
    other.sent.push({ letter: 'f' });
    await (await other.exporter([store])).once({ signal });
    await clock.advance(60_000);
    controlPlane.push('b');
    await clock.advance(2000);
    expect(await letter()).toBe('b');
    expect(controlPlane.dialled).toBe(2);
    expect((await current())?.entries.map(({ configHash }) => configHash?.[0])).toEqual(['b', 'f', 'a']);
  });

  it('brings a store up to date that was away, without waiting for the next change', async () => {
    const second = await bench.store('t');
    const put = second.put.bind(second);
    second.put = () => Promise.reject(Object.assign(new Error('gone'), { kind: 'unavailable' }));
    controlPlane.set('a');
    await start([store, second]);
    expect(await letter()).toBe('a');
    expect(await bench.line(second).readHead({ signal })).toBeUndefined();
    second.put = put;
    await clock.advance(61_000);
    const [one, two] = await Promise.all(
      [store, second].map((from) => bench.line(from).readHead({ signal })),
    );
    expect(two?.head.nonce).toBe(one?.head.nonce);
  });
});
