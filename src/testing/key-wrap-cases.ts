import { strict as assert } from 'node:assert';
import type { KeyWrap } from '../plugin/index.ts';
import { assertKind } from './assert-kind.ts';
import { assertSameBytes, pattern } from './bytes.ts';
import type { EncryptionHarness } from './encryption-stream-cases.ts';

interface KeyWrapCase {
  readonly name: string;
  run(plugin: KeyWrap, harness: EncryptionHarness): Promise<void>;
}

const CONTEXT = new TextEncoder().encode('kongfallback contract: production 3.9.1');
const OTHER_CONTEXT = new TextEncoder().encode('kongfallback contract: production 3.9.2');
const DATA_KEY = pattern(32, 7);
const MAX_KEY_ID = 256;
const MAX_WRAPPED_BYTES = 4096;

const call = () => ({ signal: new AbortController().signal });

export const keyWrapCases: readonly KeyWrapCase[] = [
  {
    name: 'a data key unwraps to itself, and stays as it was',
    async run(plugin) {
      const input = DATA_KEY.slice();
      const { keyId, wrapped } = await plugin.wrap(input, CONTEXT, call());
      assertSameBytes(input, DATA_KEY, 'the data key after wrapping');
      assertSameBytes(await plugin.unwrap(keyId, wrapped, CONTEXT, call()), DATA_KEY, 'unwrapped');
    },
  },
  {
    name: 'key id and wrapped key keep their limits, and the key id is the same each time',
    async run(plugin) {
      const first = await plugin.wrap(DATA_KEY, CONTEXT, call());
      const second = await plugin.wrap(DATA_KEY, CONTEXT, call());
      assert.ok(
        first.keyId.length > 0 && first.keyId.length <= MAX_KEY_ID,
        'a key id of 1 to 256 characters',
      );
      assert.ok(
        first.wrapped.byteLength > 0 && first.wrapped.byteLength <= MAX_WRAPPED_BYTES,
        'at most 4096 bytes',
      );
      assert.equal(first.keyId, second.keyId);
      assert.equal(Buffer.from(first.wrapped).indexOf(DATA_KEY), -1, 'the data key is not in the open');
    },
  },
  {
    name: 'the same key wrapped twice differs',
    async run(plugin, harness) {
      if (harness.capabilities?.deterministic === true) return;
      const first = await plugin.wrap(DATA_KEY, CONTEXT, call());
      const second = await plugin.wrap(DATA_KEY, CONTEXT, call());
      assert.notEqual(Buffer.compare(first.wrapped, second.wrapped), 0);
    },
  },
  {
    name: 'every flipped bit, every cut, a byte too many: corrupt',
    async run(plugin) {
      const { keyId, wrapped } = await plugin.wrap(DATA_KEY, CONTEXT, call());
      const refused = (bytes: Uint8Array, what: string) =>
        assertKind(plugin.unwrap(keyId, bytes, CONTEXT, call()), 'corrupt', what);
      for (let at = 0; at < wrapped.byteLength; at++) {
        const altered = new Uint8Array(wrapped);
        altered[at] = (altered[at] ?? 0) ^ (1 << (at % 8));
        await refused(altered, `bit of byte ${at}`);
        await refused(wrapped.slice(0, at), `cut to ${at} bytes`);
      }
      await refused(Buffer.concat([wrapped, Uint8Array.of(0)]), 'one byte too many');
    },
  },
  {
    name: 'another context: corrupt',
    async run(plugin) {
      const { keyId, wrapped } = await plugin.wrap(DATA_KEY, CONTEXT, call());
      for (const context of [OTHER_CONTEXT, new Uint8Array(0)]) {
        await assertKind(plugin.unwrap(keyId, wrapped, context, call()), 'corrupt', 'unwrap');
      }
    },
  },
  {
    name: 'an unknown key id: denied',
    async run(plugin) {
      const { keyId, wrapped } = await plugin.wrap(DATA_KEY, CONTEXT, call());
      for (const unknown of [`${keyId}x`, 'no such key', '']) {
        await assertKind(plugin.unwrap(unknown, wrapped, CONTEXT, call()), 'denied', `key id "${unknown}"`);
      }
    },
  },
  {
    name: 'foreign keys: denied or corrupt',
    async run(plugin, harness) {
      if (harness.openForeign === undefined) return;
      const foreign = (await harness.openForeign()) as KeyWrap;
      const { keyId, wrapped } = await plugin.wrap(DATA_KEY, CONTEXT, call());
      await assertKind(foreign.unwrap(keyId, wrapped, CONTEXT, call()), ['denied', 'corrupt'], 'unwrap');
    },
  },
  {
    name: 'after a rotation the old wrapped keys unwrap, and the new ones do not with the old keys',
    async run(plugin, harness) {
      if (harness.openRotated === undefined) return;
      const rotated = (await harness.openRotated()) as KeyWrap;
      const old = await plugin.wrap(DATA_KEY, CONTEXT, call());
      assertSameBytes(await rotated.unwrap(old.keyId, old.wrapped, CONTEXT, call()), DATA_KEY, 'an old key');
      const fresh = await rotated.wrap(DATA_KEY, CONTEXT, call());
      assert.notEqual(fresh.keyId, old.keyId, 'the new key has another id');
      await assertKind(plugin.unwrap(fresh.keyId, fresh.wrapped, CONTEXT, call()), 'denied', 'unwrap');
    },
  },
];
