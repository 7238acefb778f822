import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FallbackError } from '../../../src/errors/index.ts';
import { SnapshotCache } from '../../../src/restore/cache.ts';
import type { RestoreError } from '../../../src/restore/failure.ts';
import { MAX_CANDIDATES } from '../../../src/restore/pipeline.ts';
import { Trust } from '../../../src/snapshot/keys.ts';
import { errorOf, LINE, signingPair } from '../snapshot/sample-head.ts';
import { aesGcmWith, drained, plain, SIGNAL, sealingWith } from '../snapshot/streams.ts';
import { HEAD_KEY, NOW, SETTINGS, World } from './restore-world.ts';

let world: World;
beforeEach(async () => {
  world = await World.create();
});
afterEach(() => world.close());

const failure = async (): Promise<RestoreError> =>
  (await errorOf(() => world.restored())) as unknown as RestoreError;
const codes = (error: RestoreError) => error.failures.map(({ error: { code } }) => code);
const away = () => {
  throw new FallbackError('unavailable', 'KF_X', 'away');
};
const cacheFiles = async () => (await readdir(join(world.directory, 'cache/production/3.9.3'))).sort();

describe('a restore that cannot', () => {
  it('from empty stores and an empty cache says where it looked', async () => {
    const error = await failure();
    expect(error).toMatchObject({ kind: 'unavailable', code: 'KF_RESTORE_FAILED' });
    expect(codes(error)).toEqual(['KF_HEAD_MISSING', 'KF_HEAD_MISSING']);
    expect(error.message).toContain('storage s3: 3.9.3/head.json');
    expect(error.hint).toContain('prefix');
  });

  it.each([
    ['unavailable before everything', ['unavailable', 'denied'], 'unavailable'],
    ['denied before an absent head', ['denied'], 'denied'],
    ['damage before an absent head', ['corrupt'], 'corrupt'],
  ] as const)('reports the most telling kind: %s', async (_, kinds, kind) => {
    for (const [index, planned] of kinds.entries()) {
      world.stores[index]!.before = () => {
        throw new FallbackError(planned, 'KF_X', 'planned', { hint: `do ${planned}.` });
      };
    }
    expect(await failure()).toMatchObject({ kind, hint: `do ${kind}.` });
  });

  it('with keys that sign nothing here is denied', async () => {
    world.publish([await world.seal('one')]);
    world.trust = new Trust([signingPair().publicPem]);
    const error = await failure();
    expect(error.kind).toBe('denied');
    expect(codes(error)).toEqual(['KF_HEAD_UNTRUSTED', 'KF_HEAD_UNTRUSTED']);
  });

  it('is denied loudly when the key is not held, and does not take an older snapshot for it', async () => {
    world.publish([await world.seal('new'), await world.seal('old')]);
    world.sealing = sealingWith(await aesGcmWith('ff'.repeat(32)));
    const error = await failure();
    expect(error.kind).toBe('denied');
    expect(codes(error)).toEqual(['KF_KEY_UNKNOWN']);
    expect(world.stores[0]!.count('stream')).toBe(1);
  });

  it('stops at the signal', async () => {
    world.publish([await world.seal('one')]);
    const stopped = AbortSignal.abort();
    expect(await errorOf(() => world.candidates(world.cache(), stopped).next())).toMatchObject({
      kind: 'aborted',
    });
  });

  it('gives up after a bounded number of snapshots', async () => {
    const many = [];
    for (let n = 0; n < MAX_CANDIDATES + 5; n++) many.push(await world.seal(`n${n}`));
    world.publish(many);
    for (const store of world.stores)
      for (const { entry } of many) store.objects.delete(`3.9.3/${entry.key}`);
    const error = await failure();
    expect(error.kind).toBe('corrupt');
    expect(world.stores[0]!.count('stream')).toBe(MAX_CANDIDATES);
  });

  it.each([
    ['sealed bytes', { maxSealedBytes: 10 }],
    ['a document', { maxDocumentBytes: 2 }],
  ])('fetches nothing for %s above the limit', async (_, limits) => {
    world.publish([await world.seal('one')]);
    world.settings = { ...SETTINGS, ...limits };
    const error = await failure();
    expect(error.kind).toBe('unsupported');
    expect(codes(error)).toEqual(['KF_SNAPSHOT_TOO_LARGE']);
    expect(world.stores[0]!.count('stream')).toBe(0);
  });
});

describe('a damaged snapshot', () => {
  const damages: [string, (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer> | undefined, string][] =
    [
      ['missing', () => undefined, 'KF_SNAPSHOT_MISSING'],
      [
        'flipped',
        (b) => {
          b[b.length - 1]! ^= 1;
          return b;
        },
        'KF_SNAPSHOT_CORRUPT',
      ],
      ['cut', (b) => b.slice(0, -1), 'KF_SNAPSHOT_CORRUPT'],
      ['extended', (b) => Uint8Array.of(...b, 0), 'KF_STORE_OBJECT_TOO_LARGE'],
      ['empty', () => new Uint8Array(0), 'KF_SNAPSHOT_CORRUPT'],
    ];

  it.each(damages)('that is %s is had from another store', async (_, damage, code) => {
    const one = await world.seal('one');
    world.publish([one]);
    const damaged = damage(Uint8Array.from(one.bytes));
    if (damaged === undefined) world.stores[0]!.objects.delete(`3.9.3/${one.entry.key}`);
    else world.stores[0]!.objects.set(`3.9.3/${one.entry.key}`, damaged);
    const { snapshot, document } = await world.restored();
    expect(document.toString()).toBe('one');
    expect(snapshot.findings).toMatchObject([
      { code: 'restore/refused', message: expect.stringContaining(code) },
    ]);
    expect(await cacheFiles()).toEqual([expect.stringContaining('.kfs'), 'head.json', 'ratchet.json']);
  });

  it.each(damages)('that is %s everywhere gives way to the next older', async (_, damage) => {
    const [fresh, old] = [await world.seal('new'), await world.seal('old')];
    world.publish([fresh, old]);
    for (const store of world.stores) {
      const damaged = damage(Uint8Array.from(fresh.bytes));
      if (damaged === undefined) store.objects.delete(`3.9.3/${fresh.entry.key}`);
      else store.objects.set(`3.9.3/${fresh.entry.key}`, damaged);
    }
    const { snapshot, document } = await world.restored();
    expect(document.toString()).toBe('old');
    expect(snapshot.findings.map(({ code }) => code)).toContain('restore/older-snapshot');
    expect(await cacheFiles()).toHaveLength(3);
  });

  it('on the way only is fetched once more, before an older one is taken', async () => {
    const [fresh, old] = [await world.seal('new'), await world.seal('old')];
    world.publish([fresh, old]);
    for (const store of world.stores) {
      const key = `3.9.3/${fresh.entry.key}`;
      const whole = store.objects.get(key)!;
      let transfers = 0;
      store.before = (operation) => {
        if (operation === 'stream') store.objects.set(key, ++transfers === 1 ? whole.slice(0, -5) : whole);
      };
    }
    const { snapshot, document } = await world.restored();
    expect(document.toString()).toBe('new');
    expect(snapshot.findings).toEqual([]);
    expect(world.stores[0]!.count('stream')).toBe(2);
  });

  it('that is denied, as a missing one is to a reader who may not list, gives way too', async () => {
    const [fresh, old] = [await world.seal('new'), await world.seal('old')];
    world.publish([fresh, old]);
    for (const store of world.stores) {
      store.objects.delete(`3.9.3/${fresh.entry.key}`);
      store.before = (_, key) => {
        if (!store.objects.has(key)) throw new FallbackError('denied', 'KF_STORAGE_DENIED', '403');
      };
    }
    const { snapshot, document } = await world.restored();
    expect(document.toString()).toBe('old');
    expect(snapshot.findings.map(({ message }) => message).join()).toContain('KF_SNAPSHOT_MISSING');
  });

  it('whose content is not the one that the head names gives way too', async () => {
    const cases = [
      await world.seal('other', {}, gzipSync('OTHER')),
      await world.seal('longer', {}, gzipSync('longer than the head says')),
      await world.seal('shorter', {}, gzipSync('short')),
      await world.seal('no gzip', {}, Buffer.from('plain')),
      await world.seal('cut gzip', {}, gzipSync('cut gzip').subarray(0, -2)),
      await world.seal('a bomb', {}, gzipSync(Buffer.alloc(5_000_000))),
      await world.seal('later', {
        document: { ...(await world.seal('later')).entry.document, compression: 'zstd' },
      }),
    ];
    world.publish([...cases, await world.seal('good')]);
    const { snapshot, document } = await world.restored();
    expect(document.toString()).toBe('good');
    const found = snapshot.findings.map(({ message }) => /\[(KF_\w+)\]$/.exec(message)?.[1]);
    expect(found.slice(0, 7)).toEqual([
      'KF_DOCUMENT_CORRUPT',
      'KF_DOCUMENT_CORRUPT',
      'KF_DOCUMENT_CORRUPT',
      'KF_SNAPSHOT_CORRUPT',
      'KF_SNAPSHOT_CORRUPT',
      'KF_DOCUMENT_CORRUPT',
      'KF_COMPRESSION_UNKNOWN',
    ]);
  });

  it('is never handed out whole', async () => {
    world.publish([await world.seal('x'.repeat(10), {}, gzipSync('y'.repeat(10)))]);
    const { value: snapshot } = await world.candidates().next();
    const { bytes, error } = await drained(snapshot!.open({ signal: SIGNAL }));
    expect(bytes).toHaveLength(0);
    expect(error).toMatchObject({ kind: 'corrupt', code: 'KF_DOCUMENT_CORRUPT' });
    expect(snapshot!.streamError).toBe(error);
  });

  it('is not what a bootstrap restores when the caller refuses it', async () => {
    world.publish([await world.seal('new'), await world.seal('old')]);
    const candidates = world.candidates();
    const first = (await candidates.next()).value;
    first!.refuse(new FallbackError('unsupported', 'KF_TARGET_X', 'the data plane does not take it'));
    const second = (await candidates.next()).value;
    expect(second!.entry.document.length).toBe(3);
    second!.refuse(new FallbackError('unavailable', 'KF_TARGET_Y', 'the data plane is away'));
    const error = (await errorOf(() => candidates.next())) as unknown as RestoreError;
    expect(codes(error)).toEqual(['KF_TARGET_X', 'KF_TARGET_Y']);
  });
});

describe('several stores', () => {
  it('the highest verified sequence wins, and disagreement is said', async () => {
    const [one, two] = [await world.seal('one'), await world.seal('two')];
    world.publish([one], { sequence: 1_800_000_000 }, [world.stores[0]!]);
    world.publish([two, one], { sequence: 1_800_000_001 }, [world.stores[1]!]);
    const { snapshot, document } = await world.restored();
    expect(document.toString()).toBe('two');
    expect(snapshot).toMatchObject({
      origin: 'storage',
      storeId: 'dr',
      authenticated: true,
      requests: { heads: 2, snapshots: 1 },
    });
    expect(snapshot.findings.map(({ code }) => code)).toEqual(['restore/stores-disagree']);
    expect(world.stores[0]!.count('stream')).toBe(0);
  });

  it('a forged higher sequence does not', async () => {
    world.publish([await world.seal('good')], {}, [world.stores[0]!]);
    const forger = await World.create();
    try {
      forger.publish([await forger.seal('forged')], { sequence: 1_999_999_999 });
      world.stores[1]!.objects.set(HEAD_KEY, forger.stores[0]!.objects.get(HEAD_KEY)!);
      const { document, snapshot } = await world.restored();
      expect(document.toString()).toBe('good');
      expect(snapshot.findings).toMatchObject([{ message: expect.stringContaining('KF_HEAD_UNTRUSTED') }]);
    } finally {
      await forger.close();
    }
  });

  it('the same sequence twice is decided by evidence, the same way for everybody', async () => {
    const older = await world.seal('older', { asOf: '2026-11-21T11:00:00.000Z' });
    const younger = await world.seal('younger', { asOf: '2026-11-21T11:00:01.000Z' });
    for (const order of [
      [older, younger],
      [younger, older],
    ]) {
      for (const [index, sealed] of order.entries()) world.publish([sealed], {}, [world.stores[index]!]);
      const { document } = await world.restored();
      expect(document.toString()).toBe('younger');
    }
  });

  it('a recent head ends the wait for a store that hangs', async () => {
    world.publish([await world.seal('one')], { aliveAt: new Date(NOW - 10_000).toISOString() });
    const asked = world.hold(1);
    const restoring = world.restored();
    await asked;
    await world.clock.advance(500);
    expect((await restoring).snapshot.storeId).toBe('s3');
    expect(world.clock.sleeping).toBe(0);
  });

  it.each([
    ['old', NOW - 3_600_000],
    ['from the future', NOW + 3_600_000],
  ])('a head that is %s does not: the other one may be newer', async (_, aliveAt) => {
    const [one, two] = [await world.seal('one'), await world.seal('two')];
    world.publish([one], { aliveAt: new Date(aliveAt).toISOString() });
    world.publish([two], { sequence: 1_800_000_000 }, [world.stores[1]!]);
    const asked = world.hold(1);
    const restoring = world.restored();
    const answer = await asked;
    await world.clock.advance(4000);
    answer();
    expect((await restoring).document.toString()).toBe('two');
  });

  it('one that hangs is waited for until its deadline, and named', async () => {
    world.publish([await world.seal('one')], { aliveAt: new Date(NOW - 3_600_000).toISOString() });
    const asked = world.hold(1);
    const restoring = world.restored();
    await asked;
    await world.clock.advance(SETTINGS.resolveMs);
    const { snapshot } = await restoring;
    expect(snapshot.findings).toMatchObject([
      { code: 'restore/refused', message: expect.stringContaining('KF_DEADLINE_EXCEEDED') },
    ]);
    expect(snapshot.findings[0]!.message).toContain('storage dr');
  });

  it('one store costs a bootstrap two requests', async () => {
    world.stores.pop();
    world.publish([await world.seal('one')]);
    await world.restored();
    expect(world.stores[0]!.calls.map((call) => call.split(' ')[0])).toEqual(['read', 'stream']);
  });
});

describe('rollbacks', () => {
  it('a head below what this node has seen is refused; the cache is not', async () => {
    const [one, two] = [await world.seal('one'), await world.seal('two')];
    world.publish([two, one], { sequence: 1_800_000_001 });
    await world.restored();
    world.publish([one], { sequence: 1_800_000_000 });
    const { snapshot, document } = await world.restored();
    expect(document.toString()).toBe('two');
    expect(snapshot.origin).toBe('cache');
    expect(snapshot.findings[0]!.message).toContain('KF_HEAD_ROLLED_BACK');
  });

  it('what was verified counts even when none of its snapshots could be had', async () => {
    const [one, two] = [await world.seal('one'), await world.seal('two')];
    world.publish([two], { sequence: 1_800_000_001 });
    for (const store of world.stores) store.objects.delete(`3.9.3/${two.entry.key}`);
    await failure();
    world.publish([one], { sequence: 1_800_000_000 });
    const error = await failure();
    expect(error.kind).toBe('corrupt');
    expect(codes(error)).toEqual(['KF_HEAD_ROLLED_BACK', 'KF_HEAD_ROLLED_BACK']);
  });

  it("a new node refuses what is below the operator's floor, in storage and in the cache", async () => {
    world.publish([await world.seal('one')], { sequence: 1_800_000_000 });
    await world.restored();
    world.settings = { ...SETTINGS, minimumSequence: 1_800_000_001 };
    const error = await failure();
    expect(codes(error)).toEqual(['KF_HEAD_ROLLED_BACK', 'KF_HEAD_ROLLED_BACK', 'KF_HEAD_ROLLED_BACK']);
    expect(error.message).toContain('minimumSequence is 1800000001');
  });

  it('what a hold rejects is not used, with or without a hash', async () => {
    const [bad, unhashed, good] = [
      await world.seal('bad'),
      await world.seal('unhashed', { configHash: null }),
      await world.seal('good'),
    ];
    const rejected = [bad, unhashed].map(({ entry }) => ({
      configHash: entry.configHash,
      documentLength: entry.document.length,
      documentSha256: entry.document.sha256,
    }));
    const hold = {
      target: good.entry.document.sha256,
      rejected,
      by: 'ops',
      reason: 'broke logins',
      since: '2026-11-21T11:00:00.000Z',
      until: null,
    };
    world.publish([bad, unhashed, good], { hold });
    expect((await world.restored()).document.toString()).toBe('good');
  });
});

describe('the cache', () => {
  it('starts a node when every store is away, even with another key order', async () => {
    world.publish([await world.seal('new'), await world.seal('old')]);
    await world.restored();
    for (const store of world.stores) store.before = away;
    const { snapshot, document } = await world.restored();
    expect(document.toString()).toBe('new');
    expect(snapshot).toMatchObject({ origin: 'cache', storeId: null, authenticated: true });
    expect(snapshot.findings).toHaveLength(2);
  });

  it('spares the download of what is there already', async () => {
    world.publish([await world.seal('one')]);
    await world.restored();
    const { snapshot } = await world.restored();
    expect(snapshot).toMatchObject({ origin: 'storage', requests: { heads: 2, snapshots: 0 } });
  });

  it("is not believed without its head's signature", async () => {
    world.publish([await world.seal('one')]);
    await world.restored();
    for (const store of world.stores) store.before = away;
    world.trust = new Trust([signingPair().publicPem]);
    const error = await failure();
    expect(error.kind).toBe('unavailable');
    expect(error.failures.at(-1)).toMatchObject({ origin: 'cache', error: { code: 'KF_HEAD_UNTRUSTED' } });
  });

  it('of damaged sealed bytes is no cache', async () => {
    world.publish([await world.seal('one')]);
    await world.restored();
    const directory = join(world.directory, 'cache/production/3.9.3');
    const name = (await cacheFiles()).find((file) => file.endsWith('.kfs')) as string;
    const bytes = await readFile(join(directory, name));
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(join(directory, name), bytes);
    expect((await world.restored()).document.toString()).toBe('one');
    await writeFile(join(directory, name), bytes);
    for (const store of world.stores) store.before = away;
    expect((await failure()).kind).toBe('unavailable');
  });

  it('keeps one snapshot, its head and the ratchet, for this user alone', async () => {
    world.publish([await world.seal('one')]);
    await world.restored();
    world.publish([await world.seal('two')], { sequence: 1_800_000_000 });
    await world.restored();
    expect(await cacheFiles()).toEqual([expect.stringContaining('.kfs'), 'head.json', 'ratchet.json']);
    const directory = join(world.directory, 'cache/production/3.9.3');
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    for (const file of await cacheFiles())
      expect((await stat(join(directory, file))).mode & 0o777).toBe(0o600);
    expect(await readFile(join(directory, 'ratchet.json'), 'utf8')).toBe('{"sequence":1800000000}');
  });

  it('that cannot be made does not stop anything', async () => {
    world.publish([await world.seal('one')]);
    const file = join(world.directory, 'file');
    await writeFile(file, '');
    const cache = world.cache(file);
    const { snapshot, document } = await world.restored(cache);
    expect(document.toString()).toBe('one');
    expect(snapshot.findings.map(({ code }) => code)).toEqual(['cache/unusable']);
    expect((await readdir(world.directory)).filter((name) => name.startsWith('kongfallback-'))).toHaveLength(
      1,
    );
    await cache.close();
    expect(await readdir(world.directory)).toEqual(['file']);
  });

  it('that is lost half-way does not stop anything', async () => {
    world.publish([await world.seal('one')]);
    const cache = world.cache();
    await cache.prepare();
    cache.prepare = async () => {};
    await rm(cache.directory, { recursive: true });
    const { snapshot, document } = await world.restored(cache);
    expect(document.toString()).toBe('one');
    expect(snapshot).toMatchObject({ origin: 'storage', findings: [{ code: 'cache/unusable' }] });
  });

  it('without any room at all is unavailable, not damage', async () => {
    world.publish([await world.seal('one'), await world.seal('two')]);
    const file = join(world.directory, 'file');
    await writeFile(file, '');
    const cache = new SnapshotCache(file, LINE, world.clock, file);
    const error = (await errorOf(() => world.restored(cache))) as unknown as RestoreError;
    expect(error.kind).toBe('unavailable');
    expect(codes(error)).toEqual(['KF_CACHE_UNWRITABLE']);
  });

  it('leaves no file open, however a candidate ends', async () => {
    const openFiles = () => readdirSync('/proc/self/fd').length;
    if (!existsSync('/proc/self/fd')) return expect(process.platform).not.toBe('linux');
    const large = randomBytes(300_000).toString('hex');
    world.publish([await world.seal(large), await world.seal('one', {}, Buffer.from('no gzip'))]);
    const candidates = world.candidates();
    const first = (await candidates.next()).value;
    const before = openFiles();
    for await (const _ of first!.open({ signal: SIGNAL })) break;
    const stopped = new AbortController();
    const { error } = await drained(
      (async function* () {
        for await (const piece of first!.open({ signal: stopped.signal })) {
          yield piece;
          stopped.abort();
        }
      })(),
    );
    expect(error).toMatchObject({ kind: 'aborted' });
    expect(first!.streamError).toBeUndefined();
    await drained((await candidates.next()).value!.open({ signal: SIGNAL }));
    for (let turn = 0; turn < 20 && openFiles() > before; turn++)
      await new Promise((resolve) => setImmediate(resolve));
    expect(openFiles()).toBe(before);
  });

  it('with a damaged ratchet warns and goes on', async () => {
    world.publish([await world.seal('one')]);
    await world.restored();
    await writeFile(join(world.directory, 'cache/production/3.9.3/ratchet.json'), '{"sequence":-1');
    const { snapshot } = await world.restored();
    expect(snapshot.findings.map(({ code }) => code)).toContain('cache/ratchet-unreadable');
  });
});

describe('what is said of a restored snapshot', () => {
  it('its age is by the clock of the store', async () => {
    world.publish([await world.seal('one', { asOf: '2026-11-21T11:00:00.000Z' })]);
    for (const store of world.stores) store.serverTime = new Date('2026-11-21T11:00:30.000Z');
    expect((await world.restored()).snapshot.ageMs).toBe(30_000);
  });

  it('that a data plane may reject it', async () => {
    world.publish([await world.seal('one', { loadableUntil: new Date(NOW - 1).toISOString() })]);
    expect((await world.restored()).snapshot.findings.map(({ code }) => code)).toEqual([
      'restore/not-loadable',
    ]);
  });

  it('that nothing vouches for it, without keys', async () => {
    world.publish([await world.seal('one')]);
    world.trust = new Trust([]);
    expect((await world.restored()).snapshot.authenticated).toBe(false);
  });

  it('plain snapshots are opened beside keys only under a signed head', async () => {
    const sealed = world.sealing;
    world.sealing = sealingWith(await plain());
    world.publish([await world.seal('one')]);
    world.sealing = sealed;
    expect((await world.restored()).document.toString()).toBe('one');
    world.trust = new Trust([]);
    const error = await failure();
    expect(codes(error).slice(0, 1)).toEqual(['KF_ENCRYPTION_NOT_CONFIGURED']);
    expect(error.kind).toBe('denied');
  });
});
