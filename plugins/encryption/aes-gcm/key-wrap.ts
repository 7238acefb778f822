import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import type { KeyWrap, PluginContext, WrappedKey } from 'kongfallback/plugin';
import { parseWrappingKey, wrappingKeyId } from './wrapping-key.ts';

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** FORMAT.md §4.2: nonce, the 32-byte data key, tag. */
const WRAPPED_BYTES = NONCE_BYTES + 32 + TAG_BYTES;

const MAKE_KEY = '`kongfallback keygen --encryption` makes one.';

export class AesGcmKeyWrap implements KeyWrap {
  readonly #keys = new Map<string, KeyObject>();
  readonly #first: { readonly keyId: string; readonly key: KeyObject };
  readonly #context: PluginContext;

  constructor(keys: readonly string[], context: PluginContext) {
    this.#context = context;
    for (const text of keys) {
      const bytes = parseWrappingKey(text);
      if (bytes === undefined)
        throw context.error('invalid', 'a wrapping key is not 32 bytes as base64 or hex', { hint: MAKE_KEY });
      this.#keys.set(wrappingKeyId(bytes), createSecretKey(bytes));
      bytes.fill(0);
    }
    const [first] = this.#keys;
    if (first === undefined) throw context.error('invalid', 'there is no wrapping key', { hint: MAKE_KEY });
    this.#first = { keyId: first[0], key: first[1] };
  }

  async wrap(dataKey: Uint8Array, context: Uint8Array): Promise<WrappedKey> {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.#first.key, nonce).setAAD(context);
    const wrapped = Buffer.concat([nonce, cipher.update(dataKey), cipher.final(), cipher.getAuthTag()]);
    return { keyId: this.#first.keyId, wrapped };
  }

  async unwrap(keyId: string, wrapped: Uint8Array, context: Uint8Array): Promise<Uint8Array> {
    const key = this.#keys.get(keyId);
    if (key === undefined) {
      throw this.#context.error(
        'denied',
        `key ${printable(keyId)} is not among those held: ${[...this.#keys.keys()].join(', ')}`,
        { hint: 'Add the key that sealed it to `keys`, behind the first: the first seals, all open.' },
      );
    }
    if (wrapped.length !== WRAPPED_BYTES) throw this.#corrupt(keyId);
    const nonce = wrapped.subarray(0, NONCE_BYTES);
    const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES }).setAAD(context);
    decipher.setAuthTag(wrapped.subarray(WRAPPED_BYTES - TAG_BYTES));
    const dataKey = decipher.update(wrapped.subarray(NONCE_BYTES, WRAPPED_BYTES - TAG_BYTES));
    try {
      decipher.final();
      return dataKey;
    } catch (cause) {
      throw this.#corrupt(keyId, cause);
    }
  }

  #corrupt(keyId: string, cause?: unknown): Error {
    return this.#context.error('corrupt', `the data key does not authenticate under key ${keyId}`, {
      cause,
      hint: 'It was altered, or wrapped for another snapshot; see who else writes to this storage.',
    });
  }
}

/** It comes from the stored file and goes into logs and terminals. */
const printable = (keyId: string): string => keyId.replace(/[^\x20-\x7e]/g, '?').slice(0, 256);
