import { describe, expect, it } from 'vitest';
import aesGcm from '../../../../plugins/encryption/aes-gcm/index.ts';
import type { KeyWrap } from '../../../../src/plugin/index.ts';
import { wrappingKeyId } from '../../../../src/snapshot/keys.ts';
import { pluginContext } from '../../../../src/testing/plugin-context.ts';
import { errorOf } from '../../snapshot/sample-head.ts';

const KEY = Buffer.alloc(32, 1);
const NEXT = Buffer.alloc(32, 2);
const CONTEXT = Buffer.from('context');
const DATA_KEY = Buffer.alloc(32, 3);
const options = { signal: new AbortController().signal };
const create = async (...keys: Buffer[]) =>
  (await aesGcm.create({ keys: keys.map((key) => key.toString('base64')) }, pluginContext())) as KeyWrap;
const validate = async (settings: unknown) => aesGcm.settings['~standard'].validate(settings);

describe('aes-gcm', () => {
  it.each([
    ['no keys', {}],
    ['an empty list', { keys: [] }],
    ['17 keys', { keys: Array.from({ length: 17 }, () => KEY.toString('hex')) }],
    ['a key of 31 bytes', { keys: [KEY.subarray(1).toString('base64')] }],
    ['a passphrase', { keys: ['correct horse battery staple'] }],
    ['base64 without padding', { keys: [KEY.toString('base64').replace('=', '')] }],
    ['an unknown setting', { keys: [KEY.toString('hex')], key: 'x' }],
  ])('refuses %s, without repeating a key', async (_, settings) => {
    const { issues } = await validate(settings);
    expect(issues?.length).toBeGreaterThan(0);
    expect(JSON.stringify(issues)).not.toContain('horse');
  });

  it('takes base64 and hex, as a file ends them', async () => {
    const { issues } = await validate({
      keys: [`${KEY.toString('base64')}\n`, ` ${KEY.toString('hex').toUpperCase()}`],
    });
    expect(issues).toBeUndefined();
  });

  it('marks its keys as secret for whoever prints settings', () => {
    const schema = aesGcm.settings['~standard'].jsonSchema?.input({ target: 'draft-2020-12' });
    expect(schema).toMatchObject({ properties: { keys: { secret: true, items: { secret: true } } } });
  });

  it('tells a key it does not hold from a damaged one', async () => {
    const { keyId, wrapped } = await (await create(KEY)).wrap(DATA_KEY, CONTEXT, options);
    const other = await create(NEXT);
    expect(await errorOf(() => other.unwrap(keyId, wrapped, CONTEXT, options))).toMatchObject({
      kind: 'denied',
      hint: expect.stringContaining('`keys`'),
    });
    const stranger = await errorOf(() => other.unwrap('a key\u001b[2J', wrapped, CONTEXT, options));
    expect(stranger).toMatchObject({ kind: 'denied', message: expect.stringContaining('a key?[2J') });

    const same = await create(KEY);
    for (let at = 0; at < wrapped.length; at++) {
      const flipped = Buffer.from(wrapped);
      flipped[at]! ^= 1;
      expect(await errorOf(() => same.unwrap(keyId, flipped, CONTEXT, options))).toMatchObject({
        kind: 'corrupt',
        hint: expect.any(String),
      });
    }
    for (const length of [0, 1, 12, 28, 59]) {
      const cut = wrapped.subarray(0, length);
      expect(await errorOf(() => same.unwrap(keyId, cut, CONTEXT, options))).toMatchObject({
        kind: 'corrupt',
      });
    }
    const another = Buffer.from('another context');
    expect(await errorOf(() => same.unwrap(keyId, wrapped, another, options))).toMatchObject({
      kind: 'corrupt',
    });
  });

  it('wraps with the first key and unwraps with all', async () => {
    const old = await (await create(KEY)).wrap(DATA_KEY, CONTEXT, options);
    const rotated = await create(NEXT, KEY);
    const fresh = await rotated.wrap(DATA_KEY, CONTEXT, options);
    expect(fresh.keyId).toBe(wrappingKeyId(NEXT));
    expect(fresh.wrapped).toHaveLength(60);
    for (const { keyId, wrapped } of [old, fresh]) {
      expect(Buffer.from(await rotated.unwrap(keyId, wrapped, CONTEXT, options))).toEqual(DATA_KEY);
    }
    expect((await rotated.wrap(DATA_KEY, CONTEXT, options)).wrapped).not.toEqual(fresh.wrapped);
  });
});
