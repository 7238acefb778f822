import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import type { KeyWrap, PluginContext, WrappedKey } from 'kongfallback/plugin';
import { parseWrappingKey, wrappingKeyId } from './wrapping-key.ts';

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** FORMAT.md §4.2: nonce, the 32-byte data key, tag. */
const WRAPPED_BYTES = NONCE_BYTES + 32 + TAG_BYTES;

export class AesGcmKeyWrap implements KeyWrap {
  readonly #keys = new Map<string, KeyObject>();
  readonly #first: { readonly keyId: string; readonly key: KeyObject };
  readonly #context: PluginContext;

  constructor(keys: readonly string[], context: PluginContext) {
    this.#context = context;
    for (const text of keys) {
      const bytes = parseWrappingKey(text);
      if (bytes === undefined)
        throw context.error('invalid', 'a wrapping key is not 32 bytes as base64 or hex');
      this.#keys.set(wrappingKeyId(bytes), createSecretKey(bytes));
      bytes.fill(0);
    }
    const [first] = this.#keys;
    if (first === undefined) throw context.error('invalid', 'there is no wrapping key');
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
        `key ${keyId} is not among those held: ${[...this.#keys.keys()].join(', ')}`,
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
    return this.#context.error('corrupt', `the data key does not authenticate under key ${keyId}`, { cause });
  }
}
