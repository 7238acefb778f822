import { strict as assert } from 'node:assert';
import { kindOf } from '../errors/index.ts';
import type { Encryption, KeyWrap } from '../plugin/index.ts';
import { assertKind } from './assert-kind.ts';
import { assertSameBytes, drain, pattern } from './bytes.ts';

export interface EncryptionHarness {
  readonly capabilities?: {
    /** False for a plugin that only passes bytes on: nothing altered is noticed. Default: true. */
    readonly authenticates?: boolean;
    /** True where the same input gives the same bytes. Default: false. */
    readonly deterministic?: boolean;
  };
  /** An instance with the same keys each time. */
  open(): Promise<Encryption | KeyWrap> | Encryption | KeyWrap;
  /** An instance with entirely other keys. */
  openForeign?(): Promise<Encryption | KeyWrap> | Encryption | KeyWrap;
  /** An instance that seals with a new key and still holds the keys of `open`. */
  openRotated?(): Promise<Encryption | KeyWrap> | Encryption | KeyWrap;
  cleanup?(): Promise<void> | void;
}

interface EncryptionCase {
  readonly name: string;
  run(plugin: Encryption, harness: EncryptionHarness): Promise<void>;
}

const CONTEXT = new TextEncoder().encode('kongfallback contract: production 3.9.1');
const OTHER_CONTEXT = new TextEncoder().encode('kongfallback contract: production 3.9.2');
/** Round the 64 KiB chunk of the usual streaming formats, and above. */
const LENGTHS = [0, 1, 65_535, 65_536, 65_537, 131_072, 3 * 2 ** 20];
/** Chunk sizes of the incoming stream; 0 stands for an empty chunk. */
const CHUNKINGS = [[1_000_003], [65_536], [1, 0, 7, 65_535, 13]];

const authenticates = (harness: EncryptionHarness) => harness.capabilities?.authenticates !== false;
const call = () => ({ signal: new AbortController().signal });

export const encryptionCases: readonly EncryptionCase[] = [
  {
    name: 'what is sealed opens again, in any length and chunking',
    async run(plugin) {
      for (const length of LENGTHS) {
        const document = pattern(length);
        for (const sizes of CHUNKINGS) {
          if (length > 200_000 && sizes.length > 1) continue;
          const sealed = await seal(plugin, document, sizes);
          const opened = await drain(plugin.open(chunked(sealed, sizes), CONTEXT, call()));
          assertSameBytes(opened, document, `${length} bytes in chunks of ${sizes}`);
        }
      }
    },
  },
  {
    name: 'the same input sealed twice differs',
    async run(plugin, harness) {
      if (harness.capabilities?.deterministic === true) return;
      const [first, second] = [await seal(plugin, pattern(100)), await seal(plugin, pattern(100))];
      assert.notEqual(Buffer.compare(first, second), 0, 'fresh randomness for each document');
    },
  },
  {
    name: 'the document does not appear in what is sealed',
    async run(plugin, harness) {
      if (!authenticates(harness)) return;
      const sealed = Buffer.from(
        await seal(plugin, new TextEncoder().encode('a secret of thirty-one bytes...')),
      );
      assert.equal(sealed.indexOf('secret'), -1);
    },
  },
  {
    name: 'a flipped bit anywhere: corrupt, and no unauthenticated byte is released',
    async run(plugin, harness) {
      if (!authenticates(harness)) return;
      const document = pattern(150_000);
      const sealed = await seal(plugin, document);
      for (const at of places(sealed.byteLength)) {
        const altered = new Uint8Array(sealed);
        altered[at] = (altered[at] ?? 0) ^ (1 << (at % 8));
        await assertRefused(plugin, altered, document, `bit of byte ${at} of ${sealed.byteLength}`);
      }
    },
  },
  {
    name: 'cut at any length, or with bytes after the end: corrupt',
    async run(plugin, harness) {
      if (!authenticates(harness)) return;
      const document = pattern(150_000);
      const sealed = await seal(plugin, document);
      for (const length of places(sealed.byteLength)) {
        await assertRefused(plugin, sealed.subarray(0, length), document, `cut to ${length} bytes`);
      }
      const longer = new Uint8Array(sealed.byteLength + 1);
      longer.set(sealed);
      await assertRefused(plugin, longer, document, 'one byte too many');
      await assertRefused(plugin, Buffer.concat([sealed, sealed]), document, 'twice in a row');
    },
  },
  {
    name: 'another context: corrupt',
    async run(plugin, harness) {
      if (!authenticates(harness)) return;
      const document = pattern(1000);
      const sealed = await seal(plugin, document);
      await assertRefused(plugin, sealed, document, 'another context', OTHER_CONTEXT);
      await assertRefused(plugin, sealed, document, 'no context', new Uint8Array(0));
    },
  },
  {
    name: 'foreign keys: denied or corrupt, and nothing released',
    async run(plugin, harness) {
      if (harness.openForeign === undefined) return;
      const foreign = (await harness.openForeign()) as Encryption;
      const sealed = await seal(plugin, pattern(1000));
      await assertKind(
        () => drain(foreign.open(chunked(sealed), CONTEXT, call())),
        ['denied', 'corrupt'],
        'open',
      );
    },
  },
  {
    name: 'after a rotation the old documents open, and the new ones do not with the old keys',
    async run(plugin, harness) {
      if (harness.openRotated === undefined) return;
      const rotated = (await harness.openRotated()) as Encryption;
      const old = await seal(plugin, pattern(1000));
      assertSameBytes(
        await drain(rotated.open(chunked(old), CONTEXT, call())),
        pattern(1000),
        'an old document',
      );
      const fresh = await seal(rotated, pattern(1000));
      await assertKind(
        () => drain(plugin.open(chunked(fresh), CONTEXT, call())),
        ['denied', 'corrupt'],
        'open',
      );
    },
  },
  {
    name: 'an error of the incoming stream is passed on, and leaving early frees it',
    async run(plugin) {
      const broken = async function* () {
        yield pattern(100_000);
        throw Object.assign(new Error('the source broke'), { kind: 'unavailable' });
      };
      await assertKind(() => drain(plugin.seal(broken(), CONTEXT, call())), 'unavailable', 'seal');
      let freed = false;
      const endless = async function* () {
        try {
          for (;;) yield pattern(65_536);
        } finally {
          freed = true;
        }
      };
      let length = 0;
      for await (const chunk of plugin.seal(endless(), CONTEXT, call())) {
        length += chunk.byteLength;
        // Beyond any header, so that the incoming stream was begun.
        if (length > 100_000) break;
      }
      assert.ok(freed, 'the incoming stream is left when the outgoing one is');
    },
  },
];

async function seal(
  plugin: Encryption,
  document: Uint8Array,
  sizes?: readonly number[],
): Promise<Uint8Array> {
  return drain(plugin.seal(chunked(document, sizes), CONTEXT, call()));
}

async function assertRefused(
  plugin: Encryption,
  sealed: Uint8Array,
  document: Uint8Array,
  what: string,
  context = CONTEXT,
): Promise<void> {
  let released = 0;
  try {
    for await (const chunk of plugin.open(chunked(sealed), context, call())) {
      assertSameBytes(
        chunk,
        document.subarray(released, released + chunk.byteLength),
        `${what}: released bytes`,
      );
      released += chunk.byteLength;
    }
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    assert.equal(kindOf(error), 'corrupt', `${what}: ${String(error)}`);
    return;
  }
  assert.fail(`${what}: opened without an error, ${released} bytes released`);
}

/** Every byte of both ends, where headers and tags are, and a sample of what lies between. */
function places(length: number): number[] {
  const step = Math.max(1, Math.floor(length / 50));
  return Array.from({ length }, (_, at) => at).filter(
    (at) => at < 64 || at >= length - 32 || at % step === 0,
  );
}

async function* chunked(
  bytes: Uint8Array,
  sizes: readonly number[] = [40_000],
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0, turn = 0; at < bytes.byteLength; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield bytes.slice(at, at + size);
    at += size;
  }
}
