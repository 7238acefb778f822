import { beforeEach, describe, expect, it } from 'vitest';
import { FallbackError } from '../../../src/errors/index.ts';
import { Trust } from '../../../src/snapshot/keys.ts';
import { encodeSignedHead, SnapshotStore } from '../../../src/snapshot/snapshot-store.ts';
import { etagOf, MemoryLineStore } from './memory-line-store.ts';
import { errorOf, LINE, sampleEntry, sampleHead, signingPair } from './sample-head.ts';
import { drained, SIGNAL } from './streams.ts';

const { signer, publicPem } = signingPair();
const trust = new Trust([publicPem]);
const options = { signal: SIGNAL };
const HEAD = '3.9.3/head.json';
const head = (nonce: string, changes = {}) =>
  encodeSignedHead(sampleHead({ nonce: nonce.repeat(32), ...changes }), [signer]);
const failing = (kind: 'unavailable' | 'denied' | 'conflict') => {
  throw new FallbackError(kind, 'KF_X', 'planned');
};

let memory: MemoryLineStore;
let store: SnapshotStore;
beforeEach(() => {
  memory = new MemoryLineStore('s3');
  store = new SnapshotStore(memory, { ...LINE, trust });
});

describe('a line', () => {
  it.each([
    ['a cluster that is a path', { ...LINE, cluster: '../other' }],
    ['a cluster of two lines', { ...LINE, cluster: 'a\nb' }],
    ['a version that is not exact', { ...LINE, gatewayVersion: '3.9' }],
    ['a version that is a path', { ...LINE, gatewayVersion: '3.9.3/..' }],
  ])('with %s is refused', async (_, line) => {
    const error = await errorOf(() => new SnapshotStore(memory, { ...line, trust }));
    expect(error).toMatchObject({ kind: 'invalid', code: 'KF_LINE_INVALID' });
  });
});

describe('reading a head', () => {
  it('there may be none', async () => {
    expect(await store.readHead(options)).toBeUndefined();
    expect(await store.readHeadForUpdate(options)).toEqual({ head: undefined, etag: undefined });
  });

  it('the store, key and cause are named when it is damaged', async () => {
    memory.objects.set(HEAD, new Uint8Array(10));
    const error = await errorOf(() => store.readHead(options));
    expect(error).toMatchObject({ kind: 'corrupt', code: 'KF_HEAD_CORRUPT' });
    expect(error.message).toContain('storage s3: 3.9.3/head.json');
  });

  it.each([
    ['damaged', () => new Uint8Array(10), 'KF_HEAD_CORRUPT'],
    ['unsigned', () => encodeSignedHead(sampleHead(), []), 'KF_HEAD_UNSIGNED'],
    ["a stranger's", () => encodeSignedHead(sampleHead(), [signingPair().signer]), 'KF_HEAD_UNTRUSTED'],
  ])('an exporter may replace one that is %s', async (_, make, code) => {
    const bytes = make();
    memory.objects.set(HEAD, bytes);
    const reading = await store.readHeadForUpdate(options);
    expect(reading).toMatchObject({ head: undefined, etag: etagOf(bytes), damage: { code } });
  });

  it.each([
    ['another cluster', { cluster: 'staging' }, 'KF_HEAD_OTHER_CLUSTER'],
    ['another version', { gatewayVersion: '3.9.4' }, 'KF_HEAD_OTHER_VERSION'],
  ])('an exporter never replaces one of %s', async (_, changes, code) => {
    memory.objects.set(HEAD, head('a', changes));
    expect(await errorOf(() => store.readHeadForUpdate(options))).toMatchObject({
      kind: 'unsupported',
      code,
    });
  });

  it('tells the time of the store and whether it changed', async () => {
    memory.serverTime = new Date(0);
    memory.objects.set(HEAD, head('a'));
    const reading = await store.readHead(options);
    expect(reading).toMatchObject({
      authenticated: true,
      serverTime: new Date(0),
      head: { nonce: 'a'.repeat(32) },
    });
    expect(await store.readHead({ ...options, ifNoneMatch: reading?.etag as string })).toBe('not-modified');
  });
});

describe('swapping a head', () => {
  it('loses against another write, and says so', async () => {
    memory.objects.set(HEAD, head('b'));
    for (const etag of [undefined, 'stale']) {
      expect(await errorOf(() => store.swapHead(head('a'), { etag, signal: SIGNAL }))).toMatchObject({
        kind: 'conflict',
        code: 'KF_HEAD_SWAP_LOST',
      });
    }
    expect(memory.objects.get(HEAD)).toEqual(head('b'));
  });

  it.each(['unavailable', 'conflict'] as const)(
    'is done when the answer was lost and came as %s',
    async (kind) => {
      memory.after = (operation) => operation === 'put' && failing(kind);
      const swapped = await store.swapHead(head('a'), { etag: undefined, signal: SIGNAL });
      expect(swapped.etag).toBe(etagOf(head('a')));
    },
  );

  it('is unavailable when nothing changed, so that it can be tried again', async () => {
    memory.objects.set(HEAD, head('b'));
    memory.before = (operation) => operation === 'put' && failing('unavailable');
    const etag = etagOf(head('b'));
    expect(await errorOf(() => store.swapHead(head('a'), { etag, signal: SIGNAL }))).toMatchObject({
      kind: 'unavailable',
    });
  });

  it('is a conflict when the answer was lost and another write is there', async () => {
    memory.objects.set(HEAD, head('b'));
    memory.after = (operation, key) => {
      if (operation !== 'put') return;
      memory.objects.set(key, head('c'));
      failing('unavailable');
    };
    const etag = etagOf(head('b'));
    expect(await errorOf(() => store.swapHead(head('a'), { etag, signal: SIGNAL }))).toMatchObject({
      kind: 'conflict',
    });
  });

  it('reports the first failure when reading back fails too', async () => {
    memory.before = (operation) => failing(operation === 'put' ? 'unavailable' : 'denied');
    expect(await errorOf(() => store.swapHead(head('a'), { etag: undefined, signal: SIGNAL }))).toMatchObject(
      { kind: 'unavailable' },
    );
  });

  it('does not read back what was denied or stopped', async () => {
    memory.before = () => failing('denied');
    await errorOf(() => store.swapHead(head('a'), { etag: undefined, signal: SIGNAL }));
    memory.before = () => failing('unavailable');
    await errorOf(() => store.swapHead(head('a'), { etag: undefined, signal: AbortSignal.abort() }));
    expect(memory.count('read')).toBe(0);
  });

  it('replaces what it was told to', async () => {
    const first = await store.swapHead(head('a'), { etag: undefined, signal: SIGNAL });
    await store.swapHead(head('b'), { etag: first.etag, signal: SIGNAL });
    expect(memory.objects.get(HEAD)).toEqual(head('b'));
    expect(memory.calls).toEqual([`put ${HEAD}`, `put ${HEAD}`]);
  });
});

describe('snapshots', () => {
  const entry = sampleEntry({ sealed: { ...sampleEntry().sealed, length: 2500 } });

  it('that are there already are as good as written', async () => {
    await store.putSnapshot(entry.key, new Uint8Array(3), options);
    await store.putSnapshot(entry.key, new Uint8Array(4), options);
    expect(memory.objects.get(`3.9.3/${entry.key}`)).toHaveLength(3);
    memory.before = () => failing('denied');
    expect(await errorOf(() => store.putSnapshot(entry.key, new Uint8Array(3), options))).toMatchObject({
      kind: 'denied',
    });
  });

  it('are read no further than the head says', async () => {
    expect(await store.streamSnapshot(entry, options)).toBeUndefined();
    memory.objects.set(`3.9.3/${entry.key}`, new Uint8Array(1_000_000));
    const stream = await store.streamSnapshot(entry, options);
    const { bytes, error } = await drained(stream?.body as AsyncIterable<Uint8Array>);
    expect(error).toMatchObject({ kind: 'corrupt' });
    expect(bytes.length).toBeLessThanOrEqual(2500);
  });

  it('that were refused are listed by their keys below the line', async () => {
    await store.putRefused('refused/a.kfs', new Uint8Array(1), options);
    await store.putSnapshot('snapshots/b.kfs', new Uint8Array(1), options);
    expect(await store.listRefused(options)).toMatchObject([{ key: 'refused/a.kfs' }]);
    await store.deleteRefused('refused/a.kfs', options);
    expect(await store.listRefused(options)).toEqual([]);
  });
});
