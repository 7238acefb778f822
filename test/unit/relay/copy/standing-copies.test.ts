import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FallbackError } from '../../../../src/errors/index.ts';
import type { Clock } from '../../../../src/plugin/index.ts';
import { Trust } from '../../../../src/snapshot/keys.ts';
import { HEAD_KEY, type Sealed } from '../../restore/restore-world.ts';
import { errorOf, signingPair } from '../../snapshot/sample-head.ts';
import { aesGcmWith, SIGNAL, sealingWith } from '../../snapshot/streams.ts';
import { messageOf, StandingWorld } from './standing-world.ts';

const FIRST = 1_800_000_000;
const document = (name: string) => JSON.stringify({ _format_version: '3.0', services: [{ name }] });

let relay: StandingWorld;
let [one, two]: Sealed[] = [];
beforeEach(async () => {
  relay = await StandingWorld.create();
  one = await relay.world.seal(document('one'));
  two = await relay.world.seal(document('two'));
});
afterEach(() => relay.world.close());

const publish = (snapshots: (Sealed | undefined)[], sequence: number, changes = {}) => {
  const nonce = sequence.toString(16).padStart(32, '0');
  relay.world.publish(snapshots as Sealed[], { sequence, nonce, ...changes });
};
const away = () => {
  for (const store of relay.stores) {
    store.before = () => {
      throw new FallbackError('unavailable', 'KF_STORAGE_UNAVAILABLE', 'away', { hint: 'Look at it.' });
    };
  }
};
const back = () => {
  for (const store of relay.stores) store.before = () => {};
};

describe('without a usable snapshot', () => {
  it('there is nothing to serve, which is critical for a version of the settings', async () => {
    const copies = await relay.refreshed();
    expect(copies.versions()).toEqual([]);
    expect(copies.provision('3.9.3')).toBeUndefined();
    expect(copies.status()).toMatchObject([{ gatewayVersion: '3.9.3', sequence: null, frameBytes: 0 }]);
    expect(relay.findings.list()).toMatchObject([
      {
        code: 'standing-copy-missing',
        about: '3.9.3',
        severity: 'critical',
        message: expect.stringContaining('KF_HEAD_MISSING'),
        hint: expect.any(String),
      },
    ]);
    publish([one], FIRST);
    await relay.refreshed(copies);
    expect(copies.versions()).toEqual(['3.9.3']);
    expect(relay.standing()).toEqual([]);
  });

  it('neither is there with keys that we do not trust, and it is had once they are', async () => {
    publish([one], FIRST);
    const { trust } = relay.world;
    relay.world.trust = new Trust([signingPair().publicPem]);
    const copies = await relay.refreshed();
    expect(relay.standing()).toEqual(['standing-copy-missing 3.9.3']);
    relay.world.trust = trust;
    await relay.refreshed(copies);
    expect(copies.versions()).toEqual(['3.9.3']);
  });

  it('neither is there with a key that we do not hold, and it is had once we do', async () => {
    publish([one, two], FIRST);
    const { sealing } = relay.world;
    relay.world.sealing = sealingWith(await aesGcmWith('ff'.repeat(32)));
    const copies = await relay.refreshed();
    expect(relay.findings.list()[0]?.message).toContain('KF_KEY_UNKNOWN');
    relay.world.sealing = sealing;
    await relay.refreshed(copies);
    expect(messageOf(copies.provision('3.9.3'))['config_hash']).toBe(one?.entry.configHash);
  });

  it('an unsigned one is judged first, and an older one is served when it would not load', async () => {
    relay.world.trust = new Trust([]);
    publish([one, two], FIRST);
    const judged: string[] = [];
    const check = async ({ entry }: { entry: { key: string } }) => {
      judged.push(entry.key);
      if (entry.key === one?.entry.key) throw new FallbackError('corrupt', 'KF_DOCUMENT_REFUSED', 'no');
    };
    const copies = await relay.refreshed(relay.copies({ check }));
    expect(judged).toEqual([one?.entry.key, two?.entry.key]);
    expect(copies.provision('3.9.3')?.configHash).toBe(two?.entry.configHash);
    expect(relay.events).toContainEqual(
      expect.objectContaining({ event: 'relay.snapshot-refused', code: 'KF_DOCUMENT_REFUSED' }),
    );
    expect(relay.standing()).toContain('restore/older-snapshot 3.9.3');
  });

  it('ends with the signal, and with nothing else', async () => {
    publish([one], FIRST);
    const copies = relay.copies();
    expect(await errorOf(() => copies.refresh({ signal: AbortSignal.abort() }))).toMatchObject({
      kind: 'aborted',
    });
    for (const store of relay.stores) {
      store.before = () => {
        throw new TypeError('a defect');
      };
    }
    await copies.refresh({ signal: SIGNAL });
    expect(relay.standing()).toEqual(['standing-copy-missing 3.9.3']);
    expect(relay.world.clock.sleeping).toBe(0);
  });
});

describe('what is held stays', () => {
  it('while no store answers; since when is said', async () => {
    publish([one], FIRST);
    const copies = await relay.refreshed();
    const held = copies.provision('3.9.3');
    const checkedAt = copies.status()[0]?.checkedAt;
    away();
    relay.world.clock.jump(60_000);
    const since = relay.world.clock.now();
    await relay.refreshed(copies);
    relay.world.clock.jump(60_000);
    await relay.refreshed(copies);
    expect(copies.provision('3.9.3')).toBe(held);
    expect(copies.status()[0]).toMatchObject({ checkedAt, sequence: FIRST });
    expect(relay.findings.list().find(({ code }) => code === 'standing-copy-stale')).toMatchObject({
      since,
      severity: 'warning',
      hint: 'Look at it.',
      message: expect.stringContaining(one?.entry.asOf ?? 'an asOf'),
    });
    back();
    await relay.refreshed(copies);
    expect(relay.standing()).toEqual([]);
  });

  it('while one of two stores answers, it is fresh', async () => {
    publish([one], FIRST);
    const copies = await relay.refreshed();
    (relay.stores[0] as (typeof relay.stores)[number]).before = () => {
      throw new FallbackError('unavailable', 'KF_STORAGE_UNAVAILABLE', 'away');
    };
    await relay.refreshed(copies);
    expect(relay.standing()).toEqual([]);
  });

  it('when the new snapshot cannot be had, rather than that of the cache', async () => {
    publish([one], FIRST);
    const copies = await relay.refreshed();
    const held = copies.provision('3.9.3');
    publish([two, one], FIRST + 1);
    for (const store of relay.stores) {
      store.before = (operation) => {
        if (operation === 'stream') throw new FallbackError('unavailable', 'KF_STORAGE_UNAVAILABLE', 'away');
      };
    }
    await relay.refreshed(copies);
    expect(copies.provision('3.9.3')).toBe(held);
    expect(relay.standing()).toContain('standing-copy-stale 3.9.3');
    back();
    await relay.refreshed(copies);
    expect(copies.provision('3.9.3')?.configHash).toBe(two?.entry.configHash);
    expect(relay.standing()).toEqual([]);
  });

  it('rather than an older one, when storage has lost both the new one and it, and no cache can be kept', async () => {
    const three = await relay.world.seal(document('three'));
    await writeFile(join(relay.world.directory, 'no-folder'), '');
    const cacheDirectory = join(relay.world.directory, 'no-folder/cache');
    publish([two, one], FIRST);
    const copies = await relay.refreshed(relay.copies({ cacheDirectory }));
    const held = copies.provision('3.9.3')?.frame;
    publish([three, two, one], FIRST + 1);
    for (const store of relay.stores) {
      store.objects.delete(`3.9.3/${three.entry.key}`);
      store.objects.delete(`3.9.3/${two?.entry.key}`);
    }
    await relay.refreshed(copies);
    expect(copies.provision('3.9.3')).toMatchObject({ frame: held, sequence: FIRST + 1 });
    expect([...(copies.provision('3.9.3')?.olderHashes ?? [])]).toEqual([one?.entry.configHash]);
    expect(relay.standing()).toContain('restore/older-snapshot 3.9.3');
    relay.calls();
    await relay.refreshed(copies);
    expect(relay.calls()).toHaveLength(2);
  });

  it('against a storage that was set back to an older state, also without a cache', async () => {
    await writeFile(join(relay.world.directory, 'no-folder'), '');
    for (const cacheDirectory of ['cache', 'no-folder/cache']) {
      publish([one], FIRST + 5);
      const copies = await relay.refreshed(
        relay.copies({ cacheDirectory: join(relay.world.directory, cacheDirectory) }),
      );
      publish([two], FIRST);
      await relay.refreshed(copies);
      expect(copies.provision('3.9.3')?.configHash).toBe(one?.entry.configHash);
      expect(relay.findings.list().find(({ code }) => code === 'standing-copy-stale')?.message).toContain(
        'KF_HEAD_ROLLED_BACK',
      );
    }
  });
});

describe('requests', () => {
  it('at start: the heads and one snapshot', async () => {
    publish([one], FIRST);
    await relay.refreshed();
    expect(relay.calls()).toEqual([
      `dr read ${HEAD_KEY}`,
      `s3 read ${HEAD_KEY}`,
      `s3 stream 3.9.3/${one?.entry.key}`,
    ]);
  });

  it('unchanged: one conditional read for each store and version, answered with nothing', async () => {
    publish([one], FIRST);
    const copies = await relay.refreshed();
    relay.calls();
    const conditions: unknown[] = [];
    for (const store of relay.stores) {
      const read = store.read;
      store.read = async (key, options) => {
        conditions.push(options.ifNoneMatch);
        const found = await read(key, options);
        expect(found).toBe('not-modified');
        return found;
      };
    }
    const held = copies.provision('3.9.3');
    await relay.refreshed(copies);
    expect(relay.calls()).toEqual([`dr read ${HEAD_KEY}`, `s3 read ${HEAD_KEY}`]);
    expect(conditions).toEqual([expect.any(String), expect.any(String)]);
    expect(copies.provision('3.9.3')?.frame).toBe(held?.frame);
  });

  it('confirmed under a newer head: the same, and the sequence and times are the new ones', async () => {
    publish([one], FIRST);
    const copies = await relay.refreshed();
    const frame = copies.provision('3.9.3')?.frame;
    relay.calls();
    publish([one], FIRST + 1, { aliveAt: '2026-11-21T11:12:05.000Z' });
    await relay.refreshed(copies);
    expect(relay.calls()).toEqual([`dr read ${HEAD_KEY}`, `s3 read ${HEAD_KEY}`]);
    expect(copies.provision('3.9.3')).toMatchObject({ sequence: FIRST + 1, frame });
    expect(copies.status()[0]).toMatchObject({ aliveAt: '2026-11-21T11:12:05.000Z' });
    expect(relay.provided).toEqual(['3.9.3']);
  });

  it('changed: and one snapshot, said once', async () => {
    publish([one], FIRST);
    const copies = await relay.refreshed();
    relay.calls();
    publish([two, one], FIRST + 1);
    await relay.refreshed(copies);
    expect(relay.calls()).toEqual([
      `dr read ${HEAD_KEY}`,
      `s3 read ${HEAD_KEY}`,
      `s3 stream 3.9.3/${two?.entry.key}`,
    ]);
    const provision = copies.provision('3.9.3');
    expect(messageOf(provision)).toMatchObject({
      config_hash: two?.entry.configHash,
      kongfallback: { stand_in: true, sequence: FIRST + 1, as_of: two?.entry.asOf },
      config_table: { services: [{ name: 'two' }] },
    });
    expect(provision).toMatchObject({ origin: 'storage', plugins: ['key-auth', 'rate-limiting'] });
    expect([...(provision?.olderHashes ?? [])]).toEqual([one?.entry.configHash]);
    expect(relay.provided).toEqual(['3.9.3', '3.9.3']);
    expect(relay.events.filter(({ event }) => event === 'relay.provision')).toMatchObject([
      { gatewayVersion: '3.9.3', sequence: FIRST, origin: 'storage' },
      { sequence: FIRST + 1, configHash: two?.entry.configHash, frameBytes: provision?.frame.length },
    ]);
  });

  it('a damaged newest snapshot is not fetched again until the head is another one', async () => {
    publish([two, one], FIRST);
    for (const store of relay.stores) store.objects.delete(`3.9.3/${two?.entry.key}`);
    const copies = await relay.refreshed();
    relay.calls();
    await relay.refreshed(copies);
    expect(relay.calls()).toHaveLength(2);
    expect(copies.provision('3.9.3')?.configHash).toBe(one?.entry.configHash);
    expect(relay.standing()).toEqual(['restore/older-snapshot 3.9.3']);
    publish([two, one], FIRST + 1);
    await relay.refreshed(copies);
    expect(copies.provision('3.9.3')?.configHash).toBe(two?.entry.configHash);
    expect(relay.standing()).toEqual([]);
  });

  it('several refreshes at once are one', async () => {
    publish([one], FIRST);
    const copies = relay.copies();
    await Promise.all([1, 2, 3].map(() => copies.refresh({ signal: SIGNAL })));
    expect(relay.calls()).toHaveLength(3);
  });

  it('one that joined goes on when the one that began stops', async () => {
    publish([one], FIRST);
    const copies = relay.copies();
    const stop = new AbortController();
    const asked = relay.world.hold(0);
    const began = errorOf(() => copies.refresh({ signal: stop.signal }));
    const joined = copies.refresh({ signal: SIGNAL });
    const answer = await asked;
    back();
    stop.abort();
    expect(await began).toMatchObject({ kind: 'aborted' });
    await joined;
    expect(copies.versions()).toEqual(['3.9.3']);
    answer();
  });
});

describe('a rollback', () => {
  it.each([
    ['its target first', () => [one, two]],
    ['the rejected one still first', () => [two, one]],
  ])(
    'arrives like any change, and what it rejects is given the former configuration: %s',
    async (_, listed) => {
      publish([two, one], FIRST);
      const copies = await relay.refreshed();
      const rejected = {
        configHash: two?.entry.configHash,
        documentLength: two?.document.length,
        documentSha256: two?.entry.document.sha256,
      };
      const hold = {
        target: one?.entry.document.sha256,
        rejected: [rejected],
        by: 'ops',
        reason: 'broken',
        since: '2026-11-21T11:30:00.000Z',
        until: null,
      };
      publish(listed(), FIRST + 1, { hold });
      await relay.refreshed(copies);
      const provision = copies.provision('3.9.3');
      expect(provision).toMatchObject({ configHash: one?.entry.configHash, sequence: FIRST + 1 });
      expect([...(provision?.olderHashes ?? [])]).toEqual([two?.entry.configHash]);
      expect(relay.provided).toEqual(['3.9.3', '3.9.3']);
    },
  );
});

describe('a relay that starts again', () => {
  it('without storage serves what it kept, and says that it could not look', async () => {
    publish([one], FIRST);
    await relay.refreshed();
    away();
    const copies = await relay.refreshed();
    expect(copies.provision('3.9.3')).toMatchObject({ origin: 'cache', configHash: one?.entry.configHash });
    expect(copies.status()[0]).toMatchObject({ checkedAt: null, origin: 'cache' });
    expect(relay.standing()).toEqual(['restore/refused 3.9.3', 'standing-copy-stale 3.9.3']);
  });

  it('serves what it kept before a store that hangs has answered', async () => {
    publish([one], FIRST);
    await relay.refreshed();
    const copies = relay.copies();
    const asked = relay.world.hold(0);
    const other = relay.world.hold(1);
    const work = copies.refresh({ signal: SIGNAL });
    const answers = [await asked, await other];
    expect(copies.versions()).toEqual(['3.9.3']);
    for (const answer of answers) answer();
    await work;
    expect(copies.status()[0]).toMatchObject({ origin: 'storage', checkedAt: relay.world.clock.now() });
  });

  it('with storage unchanged reads no snapshot, also after many confirmations', async () => {
    publish([one], FIRST);
    const before = await relay.refreshed();
    publish([one], FIRST + 7);
    await relay.refreshed(before);
    relay.calls();
    const copies = await relay.refreshed();
    expect(relay.calls()).toHaveLength(2);
    expect(copies.provision('3.9.3')).toMatchObject({ origin: 'storage', sequence: FIRST + 7 });
    away();
    const without = await relay.refreshed();
    expect(without.provision('3.9.3')).toMatchObject({ origin: 'cache', sequence: FIRST + 7 });
  });

  it('refuses a storage that was set back behind the last confirmation', async () => {
    publish([one], FIRST);
    const before = await relay.refreshed();
    publish([one], FIRST + 7);
    await relay.refreshed(before);
    publish([two], FIRST + 6);
    const copies = await relay.refreshed();
    expect(copies.provision('3.9.3')).toMatchObject({ origin: 'cache', configHash: one?.entry.configHash });
    expect(relay.findings.list()[0]?.message).toContain('KF_HEAD_ROLLED_BACK');
  });

  it('a cache that was emptied meanwhile is filled again with the next head', async () => {
    publish([one], FIRST);
    const copies = await relay.refreshed();
    await rm(join(relay.world.directory, 'cache'), { recursive: true });
    publish([one], FIRST + 1);
    await relay.refreshed(copies);
    expect(relay.provided).toEqual(['3.9.3']);
    away();
    expect((await relay.refreshed()).versions()).toEqual(['3.9.3']);
  });
});

describe('versions', () => {
  it('a learnt one is looked up too; without a line it is a warning', async () => {
    publish([one], FIRST);
    const copies = relay.copies();
    copies.learn('3.8.1');
    copies.learn('3.8.1');
    copies.learn('../3.9.3');
    await relay.refreshed(copies);
    expect(copies.status().map(({ gatewayVersion }) => gatewayVersion)).toEqual(['3.9.3', '3.8.1']);
    expect(copies.versions()).toEqual(['3.9.3']);
    expect(relay.findings.list()).toMatchObject([
      { code: 'standing-copy-missing', about: '3.8.1', severity: 'warning' },
    ]);
  });

  it('are at most 16: the oldest learnt one that storage does not have gives way', async () => {
    publish([one], FIRST);
    const copies = relay.copies({ gatewayVersions: [] });
    copies.learn('3.9.3');
    for (let patch = 0; patch < 15; patch++) copies.learn(`3.8.${patch}`);
    await relay.refreshed(copies);
    copies.learn('3.7.0');
    const versions = copies.status().map(({ gatewayVersion }) => gatewayVersion);
    expect(versions).toHaveLength(16);
    expect(versions[0]).toBe('3.9.3');
    expect(versions).not.toContain('3.8.0');
    expect(versions).toContain('3.7.0');
    expect(relay.standing()).not.toContain('standing-copy-missing 3.8.0');
  });

  it('at most 16 of the settings leave no room for others', async () => {
    const gatewayVersions = Array.from({ length: 16 }, (_, patch) => `3.8.${patch}`);
    const copies = relay.copies({ gatewayVersions });
    copies.learn('3.7.0');
    expect(copies.status()).toHaveLength(16);
  });
});

describe('a watch', () => {
  let pauses: number[] = [];
  const begin = async (isDown: () => boolean) => {
    publish([one], FIRST);
    pauses = [];
    const { clock } = relay.world;
    const noting: Clock = {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      sleep: (ms, signal) => {
        pauses.push(ms);
        return clock.sleep(ms, signal);
      },
    };
    const stop = new AbortController();
    const copies = relay.copies({ clock: noting });
    const ended = errorOf(() => copies.watch({ signal: stop.signal, isDown, refreshMs: 300_000 }));
    await lookedAt(1);
    return { copies, stop, ended };
  };
  /** Files are read on the way, so it takes a real moment; a second's pause follows each look. */
  const lookedAt = async (times: number) => {
    while (pauses.filter((ms) => ms === 1000).length < times) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(relay.stores[0]?.count('read')).toBe(times);
  };

  it('looks at start and on average every refreshMs while the control plane is up', async () => {
    const { stop, ended } = await begin(() => false);
    await relay.world.clock.advance(299_999);
    await lookedAt(1);
    await relay.world.clock.advance(1);
    await lookedAt(2);
    stop.abort();
    expect(await ended).toMatchObject({ kind: 'aborted' });
    expect(relay.world.clock.sleeping).toBe(0);
  });

  it('each minute while it is down', async () => {
    const { stop, ended } = await begin(() => true);
    for (let minute = 2; minute < 5; minute++) {
      await relay.world.clock.advance(60_000);
      await lookedAt(minute);
    }
    stop.abort();
    await ended;
  });

  it('at once when it is wanted, however often, and then as usual', async () => {
    const { copies, stop, ended } = await begin(() => false);
    await relay.world.clock.advance(5000);
    for (let n = 0; n < 3; n++) copies.refreshNow();
    await lookedAt(2);
    await relay.world.clock.advance(299_999);
    await lookedAt(2);
    stop.abort();
    await ended;
  });

  it('a second apart at least', async () => {
    const { copies, stop, ended } = await begin(() => false);
    copies.refreshNow();
    await relay.world.clock.advance(999);
    await lookedAt(1);
    await relay.world.clock.advance(1);
    await lookedAt(2);
    stop.abort();
    await ended;
  });
});
