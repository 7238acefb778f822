import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FallbackError } from '../../../src/errors/index.ts';
import type { Encryption, KeyWrap } from '../../../src/plugin/index.ts';
import { snapshotContext } from '../../../src/snapshot/context.ts';
import { encodeHeader } from '../../../src/snapshot/envelope-header.ts';
import { Sealing } from '../../../src/snapshot/sealing.ts';
import { CHUNK_BYTES } from '../../../src/snapshot/stream-cipher.ts';
import { FakeClock } from '../../../src/testing/fake-clock.ts';
import { errorOf, LINE, sha256 } from './sample-head.ts';
import { aesGcmWith, collected, drained, inPieces, outside, plain, SIGNAL, sealingWith } from './streams.ts';

const KEY = Buffer.alloc(32, 7).toString('base64');
const OTHER = Buffer.alloc(32, 9).toString('hex');
const CONTEXT = snapshotContext({ ...LINE, documentSha256: sha256('document') });
const AUTHENTICATED = { signal: SIGNAL, authenticated: true };

const ours = sealingWith(await aesGcmWith(KEY));
const seal = async (bytes: Uint8Array, by = ours) =>
  (await by.seal(bytes, CONTEXT, { signal: SIGNAL })).bytes;
const open = (bytes: Uint8Array, by = ours, sizes = [100_000], context = CONTEXT, name = 'envelope') =>
  drained(by.open(inPieces(bytes, sizes), name, context, AUTHENTICATED));
const headerEnd = (bytes: Uint8Array) => 8 + Buffer.from(bytes).readUInt32BE(4);
const wrapFailing = (kind: 'unavailable' | 'denied' | 'corrupt' | 'aborted', use = 'kms') => ({
  id: use,
  use,
  plugin: {
    wrap: async () => {
      throw new FallbackError(kind, 'KF_PLUGIN_X', 'kms is away');
    },
    unwrap: async () => {
      throw new FallbackError(kind, 'KF_PLUGIN_X', 'kms is away');
    },
  } satisfies KeyWrap,
});
const kms = (dataKeys = new Map<string, Uint8Array>()) => ({
  id: 'kms',
  use: 'kms',
  plugin: {
    wrap: async (key) => {
      dataKeys.set('1', Uint8Array.from(key));
      return { keyId: '1', wrapped: Buffer.from('1') };
    },
    unwrap: async (_, wrapped) => {
      const key = dataKeys.get(Buffer.from(wrapped).toString());
      if (key === undefined) throw new FallbackError('corrupt', 'KF_PLUGIN_CORRUPT', 'unknown');
      return Uint8Array.from(key);
    },
  } satisfies KeyWrap,
});

describe('a sealed snapshot', () => {
  const twoChunks = randomBytes(CHUNK_BYTES + 1000);

  it.each([
    [
      'a flipped chunk',
      (b: Buffer) => {
        b[b.length - 500]! ^= 1;
      },
    ],
    [
      'a flipped tag',
      (b: Buffer) => {
        b[b.length - 1]! ^= 0x80;
      },
    ],
    [
      'a flipped wrapped key',
      (b: Buffer) => {
        const at = b.indexOf('"wrapped":"') + 20;
        b[at] = b[at] === 0x41 ? 0x42 : 0x41;
      },
    ],
    [
      'another chunk size in a header of the same length',
      (b: Buffer) => {
        b[b.indexOf('65536') + 4] = 0x37;
      },
    ],
  ])('with %s does not open', async (_, damage) => {
    const sealed = Buffer.from(await seal(twoChunks));
    damage(sealed);
    const { bytes, error } = await open(sealed);
    expect(['corrupt', 'unsupported']).toContain(error?.kind);
    expect(twoChunks.subarray(0, bytes.length).equals(bytes)).toBe(true);
    expect(bytes.length).toBeLessThan(twoChunks.length);
  });

  it('with swapped, repeated, dropped or appended chunks does not open', async () => {
    const whole = randomBytes(3 * CHUNK_BYTES);
    const sealed = Buffer.from(await seal(whole));
    const start = headerEnd(sealed);
    const size = CHUNK_BYTES + 16;
    const head = sealed.subarray(0, start);
    const [a, b, c] = [0, 1, 2].map((n) => sealed.subarray(start + n * size, start + (n + 1) * size));
    for (const chunks of [
      [b, a, c],
      [a, a, c],
      [a, c],
      [a, b],
      [a],
      [],
      [a, b, c, c],
      [a, b, c, Buffer.alloc(1)],
      [a, b, c, Buffer.alloc(16)],
    ]) {
      const { bytes, error } = await open(Buffer.concat([head, ...(chunks as Buffer[])]));
      expect(error).toMatchObject({ kind: 'corrupt', code: 'KF_SNAPSHOT_CORRUPT' });
      expect(whole.subarray(0, bytes.length).equals(bytes)).toBe(true);
    }
  });

  it('cut at any byte of a small one does not open', async () => {
    const sealed = await seal(Buffer.from('a small configuration'));
    for (let length = 0; length < sealed.length; length++) {
      const { bytes, error } = await open(sealed.subarray(0, length));
      expect(error, `cut at ${length}`).toMatchObject({ kind: 'corrupt', code: 'KF_SNAPSHOT_CORRUPT' });
      expect(bytes).toHaveLength(0);
    }
  });

  it('opens under its own context only', async () => {
    const sealed = await seal(twoChunks);
    for (const context of [
      snapshotContext({ ...LINE, gatewayVersion: '3.9.4', documentSha256: sha256('document') }),
      snapshotContext({ ...LINE, cluster: 'staging', documentSha256: sha256('document') }),
      snapshotContext({ ...LINE, documentSha256: sha256('another') }),
    ]) {
      expect((await open(sealed, ours, [4096], context)).error).toMatchObject({ kind: 'corrupt' });
    }
  });

  it('of an unknown key is denied, naming the key it wants and those at hand', async () => {
    const sealed = await seal(twoChunks, sealingWith(await aesGcmWith(OTHER)));
    const { bytes, error } = await open(sealed);
    expect(bytes).toHaveLength(0);
    expect(error).toMatchObject({ kind: 'denied', code: 'KF_KEY_UNKNOWN' });
    const ids = /"keyId":"([0-9a-f]{16})"/;
    expect(error?.message).toContain(ids.exec(Buffer.from(sealed).toString('latin1'))?.[1]);
    expect(error?.message).toContain(ids.exec(Buffer.from(await seal(twoChunks)).toString('latin1'))?.[1]);
    expect(`${error?.message}${error?.hint}`).not.toContain(KEY);
  });

  it.each([
    [
      'another version',
      (b: Buffer) => {
        b[3] = 2;
      },
      'unsupported',
      'KF_SNAPSHOT_FORMAT',
    ],
    [
      'another beginning',
      (b: Buffer) => {
        b[0] = 0x1f;
      },
      'corrupt',
      'KF_SNAPSHOT_CORRUPT',
    ],
    [
      'a header of 4 GiB',
      (b: Buffer) => {
        b.writeUInt32BE(0xffffffff, 4);
      },
      'corrupt',
      'KF_SNAPSHOT_CORRUPT',
    ],
    [
      'a header of 65537 bytes',
      (b: Buffer) => {
        b.writeUInt32BE(65537, 4);
      },
      'corrupt',
      'KF_SNAPSHOT_CORRUPT',
    ],
    [
      'a header of 1 byte',
      (b: Buffer) => {
        b.writeUInt32BE(1, 4);
      },
      'corrupt',
      'KF_SNAPSHOT_CORRUPT',
    ],
    [
      'a header that is no JSON',
      (b: Buffer) => {
        b[8] = 0x5b;
      },
      'corrupt',
      'KF_SNAPSHOT_CORRUPT',
    ],
    [
      'chunks of another size',
      (b: Buffer) => {
        b[b.indexOf('65536')] = 0x37;
      },
      'unsupported',
      'KF_SNAPSHOT_FORMAT',
    ],
  ])('with %s is refused', async (_, change, kind, code) => {
    const sealed = Buffer.from(await seal(twoChunks));
    change(sealed);
    expect((await open(sealed)).error).toMatchObject({ kind, code });
  });

  it('with no, too many or too large wrapped keys is refused', async () => {
    const key = (length: number) => ({ plugin: 'aes-gcm', keyId: 'k', wrapped: Buffer.alloc(length) });
    for (const keys of [[], Array.from({ length: 17 }, () => key(60)), [key(4097)]]) {
      const { error } = await open(Buffer.concat([encodeHeader(keys), Buffer.alloc(16)]));
      expect(error).toMatchObject({ kind: 'corrupt', code: 'KF_SNAPSHOT_CORRUPT' });
    }
  });

  it('comes back in any chunking, at every boundary', async () => {
    const lengths = [
      0,
      1,
      15,
      16,
      17,
      CHUNK_BYTES - 1,
      CHUNK_BYTES,
      CHUNK_BYTES + 1,
      2 * CHUNK_BYTES,
      2 * CHUNK_BYTES + 7,
    ];
    const sizes = fc
      .array(fc.oneof(fc.nat(40), fc.nat(3 * CHUNK_BYTES)), { minLength: 1, maxLength: 6 })
      .filter((all) => all.some((n) => n > 0));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...lengths), sizes, async (length, pieces) => {
        const whole = randomBytes(length);
        const sealed = await seal(whole);
        expect(sealed.length).toBe(
          headerEnd(sealed) + length + 16 * Math.max(1, Math.ceil(length / CHUNK_BYTES)),
        );
        expect((await open(sealed, ours, pieces)).bytes.equals(whole)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('never repeats a byte of its chunks when the same is sealed twice', async () => {
    const [one, two] = [await seal(twoChunks), await seal(twoChunks)];
    expect(Buffer.from(one).equals(two)).toBe(false);
  });

  it('leaves the stream behind it when the reader stops half-way', async () => {
    const sealed = await seal(randomBytes(5 * CHUNK_BYTES));
    let left = false;
    const source = (async function* () {
      try {
        yield* inPieces(sealed, [1000]);
      } finally {
        left = true;
      }
    })();
    for await (const _ of ours.open(source, 'envelope', CONTEXT, AUTHENTICATED)) break;
    expect(left).toBe(true);
  });
});

describe('several encryptions', () => {
  it.each([
    ['none beside keys', async () => [await plain(), await aesGcmWith(KEY)]],
    ['keys beside none', async () => [await aesGcmWith(KEY), await plain()]],
    ['two of their own format', async () => [await plain(), await plain()]],
    ['17 that wrap keys', async () => Array.from({ length: 17 }, () => kms())],
    ['one that calls itself envelope', async () => [{ ...(await plain()), use: 'envelope' }]],
  ])('%s do not go together', async (_, make) => {
    const instances = await make();
    expect(await errorOf(() => sealingWith(...instances))).toMatchObject({
      kind: 'invalid',
      code: 'KF_ENCRYPTION_MIXED',
    });
  });

  it('an empty list is refused', async () => {
    expect(await errorOf(() => sealingWith())).toMatchObject({
      kind: 'invalid',
      code: 'KF_ENCRYPTION_MISSING',
    });
  });

  it('nothing is sealed unless every key wraps', async () => {
    const half = sealingWith(await aesGcmWith(KEY), wrapFailing('unavailable'));
    expect(await errorOf(() => seal(Buffer.from('x'), half))).toMatchObject({ kind: 'unavailable' });
  });

  it('a wrap that never answers ends at the deadline', async () => {
    const clock = new FakeClock();
    const hung = {
      id: 'kms',
      use: 'kms',
      plugin: { wrap: () => new Promise<never>(() => {}), unwrap: () => new Promise<never>(() => {}) },
    };
    const sealing = new Sealing([hung], { outside: outside(clock), deadlineMs: 1000 });
    const failed = errorOf(() => seal(Buffer.from('x'), sealing));
    await clock.advance(1000);
    expect(await failed).toMatchObject({ kind: 'unavailable', code: 'KF_DEADLINE_EXCEEDED' });
  });

  it.each([
    ['no key id', { keyId: '', wrapped: Buffer.from('x') }],
    ['a wrapped key of 4097 bytes', { keyId: 'k', wrapped: Buffer.alloc(4097) }],
    ['a wrapped key as text', { keyId: 'k', wrapped: 'x' as unknown as Uint8Array }],
  ])('a plugin that gives %s is refused', async (_, answer) => {
    const bad = {
      id: 'kms',
      use: 'kms',
      plugin: { wrap: async () => answer, unwrap: async () => Buffer.alloc(0) },
    };
    expect(await errorOf(() => seal(Buffer.from('x'), sealingWith(bad)))).toMatchObject({
      code: 'KF_ENCRYPTION_WRAP_INVALID',
    });
  });

  it('any one of them opens, whichever is away', async () => {
    const cloud = kms();
    const sealed = await seal(Buffer.from('document'), sealingWith(cloud, await aesGcmWith(KEY)));
    for (const reader of [
      sealingWith(await aesGcmWith(KEY)),
      sealingWith(cloud),
      sealingWith(wrapFailing('unavailable'), await aesGcmWith(OTHER, KEY)),
      sealingWith(await aesGcmWith(OTHER), cloud),
    ]) {
      expect((await open(sealed, reader)).bytes.toString()).toBe('document');
    }
  });

  it('a key that may come back is asked for again before it is called unknown or damaged', async () => {
    const sealed = await seal(Buffer.from('document'), sealingWith(kms(), await aesGcmWith(KEY)));
    const reader = async (...instances: Parameters<typeof sealingWith>) =>
      (await open(sealed, sealingWith(...instances))).error;
    expect(await reader(wrapFailing('unavailable'), await aesGcmWith(OTHER))).toMatchObject({
      kind: 'unavailable',
    });
    expect(await reader(wrapFailing('denied'))).toMatchObject({ kind: 'denied', code: 'KF_KEY_UNKNOWN' });
    expect(await reader(wrapFailing('corrupt'), await aesGcmWith(OTHER))).toMatchObject({
      kind: 'denied',
      code: 'KF_KEY_UNKNOWN',
    });
    expect(await reader(wrapFailing('corrupt'), wrapFailing('corrupt', 'aes-gcm'))).toMatchObject({
      kind: 'corrupt',
      code: 'KF_SNAPSHOT_CORRUPT',
    });
    expect(await reader(wrapFailing('aborted'), await aesGcmWith(KEY))).toMatchObject({ kind: 'aborted' });
  });

  it('a plugin that wipes what it is given does not wipe it for the next', async () => {
    const wiping = {
      id: 'a',
      use: 'a',
      plugin: {
        ...kms().plugin,
        wrap: async (key: Uint8Array) => {
          key.fill(0);
          return { keyId: 'k', wrapped: Buffer.from('x') };
        },
      },
    };
    const sealed = await seal(Buffer.from('document'), sealingWith(wiping, await aesGcmWith(KEY)));
    expect((await open(sealed)).bytes.toString()).toBe('document');
  });
});

describe('an encryption with a format of its own', () => {
  const gzip = Buffer.from('compressed');
  const openPlain = async (authenticated: boolean, by: Sealing) =>
    drained(
      (async function* () {
        yield* by.open(inPieces(gzip, [4]), 'none', CONTEXT, { signal: SIGNAL, authenticated });
      })(),
    );

  it('none passes bytes through', async () => {
    const sealing = sealingWith(await plain());
    expect(await sealing.seal(gzip, CONTEXT, { signal: SIGNAL })).toEqual({
      encryption: 'none',
      bytes: new Uint8Array(gzip),
    });
    expect((await openPlain(false, sealing)).bytes).toEqual(gzip);
  });

  it('plain bytes do not get around a configured encryption unless the head is signed', async () => {
    expect((await openPlain(false, ours)).error).toMatchObject({
      kind: 'denied',
      code: 'KF_ENCRYPTION_NOT_CONFIGURED',
    });
    expect((await openPlain(true, ours)).bytes).toEqual(gzip);
  });

  it('an encryption that is not configured is denied by name', async () => {
    const { error } = await drained(
      (async function* () {
        yield* ours.open(inPieces(gzip, [4]), 'age', CONTEXT, AUTHENTICATED);
      })(),
    );
    expect(error).toMatchObject({ kind: 'denied', code: 'KF_ENCRYPTION_NOT_CONFIGURED' });
    expect(error?.message).toContain('"age"');
    const readsPlain = sealingWith(await plain());
    expect(
      await errorOf(() => readsPlain.open(inPieces(gzip, [4]), 'envelope', CONTEXT, AUTHENTICATED)),
    ).toMatchObject({ code: 'KF_ENCRYPTION_NOT_CONFIGURED' });
  });

  it.each([
    [
      'text',
      async function* () {
        yield 'x' as unknown as Uint8Array;
      },
    ],
    [
      'empty pieces without end',
      async function* () {
        for (;;) yield new Uint8Array(0);
      },
    ],
    [
      'bytes without end',
      async function* () {
        for (;;) yield new Uint8Array(100_000);
      },
    ],
  ])('one that yields %s is ended', async (_, seal) => {
    const bad = { id: 'bad', use: 'bad', plugin: { seal, open: seal } as unknown as Encryption };
    const error = await errorOf(() => sealingWith(bad).seal(gzip, CONTEXT, { signal: SIGNAL }));
    expect(error).toMatchObject({ kind: 'unavailable', code: 'KF_PLUGIN_MISBEHAVED' });
  });

  it('one that hangs ends at the deadline', async () => {
    const clock = new FakeClock();
    const hang = async function* () {
      await new Promise(() => {});
      yield gzip;
    };
    const bad = { id: 'bad', use: 'bad', plugin: { seal: hang, open: hang } };
    const sealing = new Sealing([bad], { outside: outside(clock), deadlineMs: 1000 });
    const opened = drained(sealing.open(inPieces(gzip, [4]), 'bad', CONTEXT, AUTHENTICATED));
    await clock.advance(1000);
    expect((await opened).error).toMatchObject({ kind: 'unavailable', code: 'KF_DEADLINE_EXCEEDED' });
    expect(clock.sleeping).toBe(0);
  });

  it('one that throws without a kind is unavailable', async () => {
    const bad = {
      id: 'bad',
      use: 'bad',
      plugin: {
        seal: () => {
          throw new Error('boom');
        },
        open: () => {
          throw new Error('boom');
        },
      },
    };
    const { error } = await drained(
      sealingWith(bad).open(inPieces(gzip, [4]), 'bad', CONTEXT, AUTHENTICATED),
    );
    expect(error).toMatchObject({ kind: 'unavailable', code: 'KF_PLUGIN_UNCLASSIFIED' });
    expect(await collected(inPieces(gzip, [3]))).toEqual(gzip);
  });
});
