import {
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign as signBytes,
  verify as verifyBytes,
} from 'node:crypto';
import { FallbackError } from '../errors/index.ts';

/** FORMAT.md §2: first 16 hex digits of the SHA-256 of the public key's SPKI DER. */
export function signingKeyId(publicKey: KeyObject): string {
  const der = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(der).digest('hex').slice(0, 16);
}

/** FORMAT.md §4.2, of a 32-byte wrapping key. */
export function wrappingKeyId(key: Uint8Array): string {
  return createHash('sha256').update('kongfallback aes-gcm key id\n').update(key).digest('hex').slice(0, 16);
}

/** Signs heads; held by exporters only. */
export class Signer {
  readonly keyId: string;
  readonly #key: KeyObject;

  /**
   * @param pem PKCS #8, unencrypted
   * @param name what the settings call it, for errors
   * @throws FallbackError `invalid` KF_KEY_INVALID, which never holds key material
   */
  constructor(pem: string, name: string) {
    this.#key = readKey(pem, name, 'private');
    this.keyId = signingKeyId(createPublicKey(this.#key));
  }

  sign(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    return new Uint8Array(signBytes(null, bytes, this.#key));
  }
}

/** The public keys that a reader believes. Without any, nothing is authenticated. */
export class Trust {
  readonly #keys = new Map<string, KeyObject>();

  /**
   * @param pems SPKI
   * @param name what the settings call the list, for errors
   * @throws FallbackError `invalid` KF_KEY_INVALID
   */
  constructor(pems: readonly string[], name = 'signing.publicKeys') {
    for (const [index, pem] of pems.entries()) {
      const key = readKey(pem, `${name}[${index}]`, 'public');
      this.#keys.set(signingKeyId(key), key);
    }
  }

  get keyIds(): readonly string[] {
    return [...this.#keys.keys()];
  }

  has(keyId: string): boolean {
    return this.#keys.has(keyId);
  }

  verify(keyId: string, bytes: Uint8Array, signature: Uint8Array): boolean {
    const key = this.#keys.get(keyId);
    return key !== undefined && verifyBytes(null, bytes, key, signature);
  }
}

function readKey(pem: string, name: string, type: 'public' | 'private'): KeyObject {
  const label = type === 'public' ? 'PUBLIC KEY' : 'PRIVATE KEY';
  // createPublicKey would quietly derive a public key from a private one that was pasted in its place.
  if (!pem.includes(`-----BEGIN ${label}-----`)) {
    const other = type === 'public' ? 'PRIVATE KEY-----' : 'PUBLIC KEY-----';
    const found = pem.includes(other) ? `it is a ${other.slice(0, -5).toLowerCase()}` : 'it is not PEM';
    throw keyInvalid(name, type, found);
  }
  let key: KeyObject;
  try {
    key = type === 'public' ? createPublicKey(pem) : createPrivateKey(pem);
  } catch {
    throw keyInvalid(name, type, 'it cannot be decoded');
  }
  if (key.asymmetricKeyType !== 'ed25519') {
    throw keyInvalid(name, type, `its type is ${key.asymmetricKeyType ?? 'unknown'}`);
  }
  return key;
}

function keyInvalid(name: string, type: 'public' | 'private', found: string): FallbackError {
  return new FallbackError('invalid', 'KF_KEY_INVALID', `${name} is no Ed25519 ${type} key: ${found}`, {
    hint:
      type === 'public'
        ? 'Give the .pub file that `kongfallback keygen` wrote, by a file reference.'
        : 'Give the .key file that `kongfallback keygen` wrote, by a file reference.',
  });
}
