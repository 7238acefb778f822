import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Signer, Trust } from '../../../src/snapshot/keys.ts';
import { errorOf, signingPair } from './sample-head.ts';

const pair = signingPair();
const body = (pem: string) => pem.split('\n')[1] as string;

describe('signing keys', () => {
  it.each([
    ['empty text', ''],
    ['a public key in its place', pair.publicPem],
    ['a broken body', pair.privatePem.replace(/\n.{8}/, '\n????????')],
    [
      'an RSA key',
      generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
        type: 'pkcs8',
        format: 'pem',
      }) as string,
    ],
    [
      'an X25519 key',
      generateKeyPairSync('x25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    ],
  ])('a private key that is %s is refused', async (_, pem) => {
    const error = await errorOf(() => new Signer(pem, 'signing.privateKey'));
    expect(error).toMatchObject({ kind: 'invalid', code: 'KF_KEY_INVALID' });
    expect(error.message).toContain('signing.privateKey');
  });

  it('a private key among the public ones is refused, and not repeated', async () => {
    const error = await errorOf(() => new Trust([pair.publicPem, pair.privatePem]));
    expect(error).toMatchObject({ kind: 'invalid', code: 'KF_KEY_INVALID' });
    expect(error.message).toContain('signing.publicKeys[1]');
    expect(error.message).toContain('private key');
    for (const shown of [error.message, error.hint, String(error.cause), error.stack]) {
      expect(shown).not.toContain(body(pair.privatePem));
    }
  });

  it('verifies what was signed, by that key alone', () => {
    const bytes = Buffer.from('configuration');
    const signature = pair.signer.sign(bytes);
    const trust = new Trust([pair.publicPem]);
    expect(trust.keyIds).toEqual([pair.signer.keyId]);
    expect(trust.verify(pair.signer.keyId, bytes, signature)).toBe(true);
    expect(trust.verify(pair.signer.keyId, Buffer.from('Configuration'), signature)).toBe(false);
    expect(trust.verify(pair.signer.keyId, bytes, signature.subarray(1))).toBe(false);
    expect(trust.verify('0'.repeat(16), bytes, signature)).toBe(false);
  });
});
