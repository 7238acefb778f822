// The kit must notice: each of these plugins breaks one promise, and the named case has to fail.
import { strict as assert } from 'node:assert';
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Encryption, KeyWrap } from 'kongfallback/plugin';
import { drain, type EncryptionHarness, encryptionContract, pluginContext } from 'kongfallback/testing';
import { test } from 'vitest';

const KEY = Buffer.alloc(32, 7);
const error = pluginContext().error;

interface Weakness {
  readonly withoutContext?: boolean;
  readonly withoutTag?: boolean;
  readonly nonce?: Buffer;
  readonly releaseEarly?: boolean;
}

/** One AES-GCM message: nonce, ciphertext, tag. */
function encryption(weak: Weakness = {}): Encryption {
  return {
    async *seal(document, context) {
      const nonce = weak.nonce ?? randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', KEY, nonce);
      if (!weak.withoutContext) cipher.setAAD(context);
      yield nonce;
      for await (const chunk of document) yield cipher.update(chunk);
      yield Buffer.concat([cipher.final(), cipher.getAuthTag()]);
    },
    async *open(sealed, context) {
      const all = Buffer.from(await drain(sealed));
      if (all.length < 28) throw error('corrupt', 'too short');
      const decipher = createDecipheriv('aes-256-gcm', KEY, all.subarray(0, 12));
      if (!weak.withoutContext) decipher.setAAD(context);
      decipher.setAuthTag(all.subarray(-16));
      const plain = decipher.update(all.subarray(12, -16));
      if (weak.releaseEarly) yield plain;
      try {
        if (!weak.withoutTag) decipher.final();
      } catch (cause) {
        throw error('corrupt', 'does not authenticate', { cause });
      }
      if (!weak.releaseEarly) yield plain;
    },
  };
}

function keyWrap(weak: Weakness & { readonly anyKeyId?: boolean } = {}): KeyWrap {
  const whole = encryption(weak);
  const { signal } = new AbortController();
  const stream = async function* (bytes: Uint8Array) {
    yield bytes;
  };
  return {
    wrap: async (dataKey, context) => ({
      keyId: 'k1',
      wrapped: await drain(whole.seal(stream(dataKey), context, { signal })),
    }),
    unwrap: async (keyId, wrapped, context) => {
      if (keyId !== 'k1' && !weak.anyKeyId) throw error('denied', 'unknown key');
      return drain(whole.open(stream(wrapped), context, { signal }));
    },
  };
}

async function failing(
  plugin: Encryption | KeyWrap,
  more: Partial<EncryptionHarness> = {},
): Promise<string[]> {
  const cases: [string, () => Promise<void>][] = [];
  encryptionContract(
    (name, run) => cases.push([name, run]),
    () => ({ open: () => plugin, ...more }),
  );
  const failed: string[] = [];
  for (const [name, run] of cases) await run().catch(() => failed.push(name));
  return failed;
}

const lies: readonly (readonly [string, RegExp, Encryption | KeyWrap])[] = [
  ['does not bind the context', /another context/, encryption({ withoutContext: true })],
  ['does not check the tag', /flipped bit anywhere/, encryption({ withoutTag: true })],
  ['does not notice a cut', /cut at any length/, encryption({ withoutTag: true })],
  ['releases before it authenticates', /flipped bit anywhere/, encryption({ releaseEarly: true })],
  ['uses a nonce twice', /sealed twice differs/, encryption({ nonce: Buffer.alloc(12) })],
  ['passes the bytes on', /does not appear/, { seal: (document) => document, open: (sealed) => sealed }],
  ['wraps without the context', /key wrap: another context/, keyWrap({ withoutContext: true })],
  ['unwraps without the tag', /key wrap: every flipped bit/, keyWrap({ withoutTag: true })],
  ['takes any key id', /unknown key id/, keyWrap({ anyKeyId: true })],
  ['wraps with a nonce used twice', /wrapped twice differs/, keyWrap({ nonce: Buffer.alloc(12) })],
];
for (const [name, expected, plugin] of lies) {
  test(`the kit notices a plugin that ${name}`, async () => {
    const failed = await failing(plugin);
    assert.ok(
      failed.some((one) => expected.test(one)),
      `failed: ${failed.join('; ')}`,
    );
  });
}

test('and finds nothing wrong with honest ones', async () => {
  assert.deepEqual(await failing(encryption()), []);
  assert.deepEqual(await failing(keyWrap()), []);
});

test('a foreign key that opens is noticed', async () => {
  const failed = await failing(keyWrap(), { openForeign: () => keyWrap() });
  assert.ok(failed.some((name) => /foreign keys/.test(name)));
});
