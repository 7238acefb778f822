import { beforeEach, describe, expect, it } from 'vitest';
import { FallbackError } from '../../../src/errors/index.ts';
import { Trust } from '../../../src/snapshot/keys.ts';
import { encodeSignedHead, SnapshotStore } from '../../../src/snapshot/snapshot-store.ts';
import { HeadWatches } from '../../../src/status/head-watches.ts';
import { readLine } from '../../../src/status/read-line.ts';
import { FakeClock } from '../../../src/testing/index.ts';
import { MemoryLineStore } from '../snapshot/memory-line-store.ts';
import { errorOf, LINE, sampleHead, signingPair } from '../snapshot/sample-head.ts';

const NOW = Date.UTC(2026, 10, 21, 12);
const KEY = '3.9.3/head.json';
const pair = signingPair();
const signal = new AbortController().signal;
const ago = (seconds: number) => new Date(NOW - seconds * 1000).toISOString();
const headOf = (changes: Parameters<typeof sampleHead>[0] = {}) =>
  encodeSignedHead(sampleHead({ aliveAt: ago(60), confirmedAt: ago(120), ...changes }), [pair.signer]);

describe('the head as it passes by', () => {
  let clock: FakeClock;
  let store: MemoryLineStore;
  let watches: HeadWatches;
  let line: SnapshotStore;

  beforeEach(() => {
    clock = new FakeClock({ now: NOW });
    store = new MemoryLineStore('s3');
    const trust = new Trust([pair.publicPem]);
    watches = new HeadWatches(trust, clock);
    line = new SnapshotStore(watches.watch(store, LINE), { ...LINE, trust });
  });

  const state = () => watches.states(LINE.gatewayVersion)[0];

  it('is unknown before anybody looked', () => {
    expect(state()).toEqual({ store: 's3', state: 'unknown', error: null, head: null });
  });

  it('a store that fails keeps the former head, which grows older', async () => {
    store.objects.set(KEY, headOf());
    await line.readHeadForUpdate({ signal });
    store.before = () => {
      throw new FallbackError('unavailable', 'KF_STORAGE_UNAVAILABLE', 'gone', { hint: 'wait' });
    };
    await errorOf(() => line.readHeadForUpdate({ signal }));
    await clock.advance(10_000);
    expect(state()).toMatchObject({
      state: 'unreadable',
      error: { code: 'KF_STORAGE_UNAVAILABLE', hint: 'wait' },
      head: { aliveAgeMs: 70_000 },
    });
  });

  it('a look that was broken off says nothing about the store', async () => {
    store.objects.set(KEY, headOf());
    await line.readHeadForUpdate({ signal });
    store.before = () => {
      throw new FallbackError('aborted', 'KF_ABORTED', 'stopped');
    };
    await errorOf(() => line.readHeadForUpdate({ signal }));
    expect(state()?.state).toBe('verified');
  });

  it.each<[string, () => Uint8Array<ArrayBuffer>, string]>([
    [
      'signed by a stranger',
      () => encodeSignedHead(sampleHead(), [signingPair().signer]),
      'KF_HEAD_UNTRUSTED',
    ],
    ['not signed', () => encodeSignedHead(sampleHead(), []), 'KF_HEAD_UNSIGNED'],
    ['damaged', () => new Uint8Array(Buffer.from('{"payload":1}')), 'KF_HEAD_CORRUPT'],
    ['of another fleet', () => headOf({ cluster: 'other' }), 'KF_HEAD_OTHER_CLUSTER'],
  ])('%s is refused, and the last verified one stays to be seen', async (_what, bytes, code) => {
    store.objects.set(KEY, headOf());
    await line.readHeadForUpdate({ signal });
    expect(state()?.state).toBe('verified');
    store.objects.set(KEY, bytes());
    await line.readHeadForUpdate({ signal }).catch(() => {});
    expect(state()).toMatchObject({ state: 'refused', error: { code }, head: { sequence: 1_763_000_001 } });
    store.objects.set(KEY, headOf({ sequence: 1_763_000_002 }));
    await line.readHeadForUpdate({ signal });
    expect(state()).toMatchObject({ state: 'verified', error: null, head: { sequence: 1_763_000_002 } });
  });

  it('a head that was deleted is missing, and not the former one', async () => {
    store.objects.set(KEY, headOf());
    await line.readHeadForUpdate({ signal });
    store.objects.clear();
    await line.readHeadForUpdate({ signal });
    expect(state()).toEqual({ store: 's3', state: 'missing', error: null, head: null });
  });

  it('what is written is seen without a read; a lost swap is not', async () => {
    await line.swapHead(headOf(), { etag: undefined, signal });
    const reads = store.count('read');
    expect(state()).toMatchObject({ state: 'verified', head: { authenticated: true, snapshots: 1 } });
    expect(store.count('read')).toBe(reads);
    await errorOf(() => line.swapHead(headOf({ sequence: 1_763_000_009 }), { etag: 'stale', signal }));
    expect(state()?.head?.sequence).toBe(1_763_000_001);
  });

  it('ages are by the clock of the store, also after an answer that does not tell it', async () => {
    store.serverTime = new Date(NOW + 1_200_000);
    store.objects.set(KEY, headOf());
    await line.readHeadForUpdate({ signal });
    store.serverTime = undefined;
    await line.readHeadForUpdate({ signal });
    await clock.advance(1000);
    expect(state()?.head).toMatchObject({
      aliveAgeMs: 1_261_000,
      confirmedAgeMs: 1_321_000,
      clockOffsetMs: 1_200_000,
    });
  });

  it('snapshots pass by unseen, and a line that is made again stands once', async () => {
    await watches
      .watch(store, LINE)
      .put('3.9.3/snapshots/a-b.kfs', new Uint8Array(3), { ifAbsent: true, signal });
    expect(watches.states(LINE.gatewayVersion)).toHaveLength(1);
    expect(state()?.state).toBe('unknown');
  });
});

describe('a look from outside', () => {
  const trust = new Trust([pair.publicPem]);

  it('takes one read of one key from each store, and a store that hangs delays nobody beyond its deadline', async () => {
    const clock = new FakeClock({ now: NOW });
    const [hangs, empty, good] = ['hangs', 'empty', 'good'].map((id) => new MemoryLineStore(id)) as [
      MemoryLineStore,
      MemoryLineStore,
      MemoryLineStore,
    ];
    hangs.before = () => new Promise(() => {});
    good.objects.set(KEY, headOf());
    const looking = readLine(LINE, [hangs, empty, good], { trust, clock, deadlineMs: 15_000, signal });
    await clock.advance(15_000);
    const states = await looking;
    expect(states.map(({ store, state, error }) => [store, state, error?.code])).toEqual([
      ['hangs', 'unreadable', 'KF_DEADLINE_EXCEEDED'],
      ['empty', 'missing', undefined],
      ['good', 'verified', undefined],
    ]);
    for (const store of [hangs, empty, good]) expect(store.calls).toEqual([`read ${KEY}`]);
    expect(clock.sleeping).toBe(0);
  });

  it('ends when it is interrupted', async () => {
    const clock = new FakeClock({ now: NOW });
    const store = new MemoryLineStore();
    store.before = () => new Promise(() => {});
    const stop = new AbortController();
    const looking = readLine(LINE, [store], { trust, clock, deadlineMs: 15_000, signal: stop.signal });
    stop.abort();
    expect(await errorOf(() => looking)).toMatchObject({ kind: 'aborted' });
  });
});
