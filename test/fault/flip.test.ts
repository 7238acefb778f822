// One snapshot, an empty cache: whatever single byte is damaged, wherever either object is cut, nothing is restored.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FallbackError } from '../../src/errors/index.ts';
import type { RestoreError } from '../../src/restore/failure.ts';
import { Trust } from '../../src/snapshot/keys.ts';
import { HEAD_KEY, KEY, type Sealed, World } from '../unit/restore/restore-world.ts';
import { errorOf } from '../unit/snapshot/sample-head.ts';
import { aesGcmWith, drained, plain, SIGNAL, sealingWith } from '../unit/snapshot/streams.ts';

const FLIPS = [0x01, 0x80, 0xff];
const DOCUMENT = JSON.stringify({
  _format_version: '3.0',
  services: [{ id: '1', host: 'a.internal', retries: null }],
});

const setups = [
  ['signed, aes-gcm', true, () => aesGcmWith(KEY)],
  ['signed, none', true, plain],
  ['unsigned, none', false, plain],
] as const;

describe.each(setups)('%s', (_, signed, encryption) => {
  let world: World;
  let sealed: Sealed;
  let objects: { readonly name: string; readonly key: string; readonly bytes: Uint8Array<ArrayBuffer> }[];

  beforeAll(async () => {
    world = await World.create();
    world.stores.pop();
    world.sealing = sealingWith(await encryption());
    if (!signed) {
      world.signers = [];
      world.trust = new Trust([]);
    }
    sealed = await world.seal(DOCUMENT);
    const head = world.head([sealed]);
    objects = [
      { name: 'head', key: HEAD_KEY, bytes: head },
      { name: 'snapshot', key: `3.9.3/${sealed.entry.key}`, bytes: sealed.bytes },
    ];
  });
  afterAll(async () => {
    // Nothing that was refused may have been kept: every case above had the cache of a new node.
    expect(await readdir(join(world.directory, 'cache/production/3.9.3'))).toEqual(['ratchet.json']);
    await world.close();
  });

  /** Codes of the failures; fails the test when anything is restored. */
  async function refusedWith(key: string, damaged: Uint8Array<ArrayBuffer>): Promise<RestoreError> {
    const store = world.stores[0]!;
    for (const object of objects) store.objects.set(object.key, object.bytes);
    store.objects.set(key, damaged);
    const directory = join(world.directory, 'cache');
    const given: number[] = [];
    const restoring = async () => {
      for await (const candidate of world.candidates(world.cache(directory))) {
        const { bytes, error } = await drained(candidate.open({ signal: SIGNAL }));
        given.push(bytes.length);
        if (error === undefined)
          candidate.refuse(new FallbackError('conflict', 'KF_TEST_RESTORED', 'restored'));
      }
    };
    const error = (await errorOf(restoring)) as unknown as RestoreError;
    expect(Math.max(0, ...given)).toBeLessThan(DOCUMENT.length);
    expect(error.code).toBe('KF_RESTORE_FAILED');
    return error;
  }

  it('restores what is whole', async () => {
    for (const object of objects) world.stores[0]!.objects.set(object.key, object.bytes);
    const { document } = await world.restored(world.cache(join(world.directory, 'whole')));
    expect(document.toString()).toBe(DOCUMENT);
  });

  it.each([0, 1])('any flipped byte is refused as corrupt or unsupported (object %i)', async (index) => {
    const { key, name, bytes } = objects[index]!;
    let tried = 0;
    for (let at = 0; at < bytes.length; at++) {
      for (const flip of FLIPS) {
        const damaged = Uint8Array.from(bytes);
        damaged[at]! ^= flip;
        const { kind, message } = await refusedWith(key, damaged);
        expect(['corrupt', 'unsupported'], `${name} byte ${at} ^ ${flip}: ${message}`).toContain(kind);
        tried++;
      }
    }
    expect(tried).toBe(bytes.length * FLIPS.length);
  });

  it.each([0, 1])('any cut is refused as corrupt (object %i)', async (index) => {
    const { key, name, bytes } = objects[index]!;
    for (let length = 0; length < bytes.length; length++) {
      const { kind } = await refusedWith(key, bytes.slice(0, length));
      expect(kind, `${name} cut after ${length} bytes`).toBe('corrupt');
    }
  });

  it.each([0, 1])('bytes that follow are refused as corrupt (object %i)', async (index) => {
    const { key, bytes } = objects[index]!;
    for (const extra of [[0], [0x20], [0x0a], Array.from(bytes.slice(0, 40))]) {
      expect((await refusedWith(key, Uint8Array.of(...bytes, ...extra))).kind).toBe('corrupt');
    }
  });
});
