import { createHash } from 'node:crypto';
import type { CallOptions, KeyWrap, PluginContext, WrappedKey } from 'kongfallback/plugin';
import type { Connection } from './connection.ts';
import { kmsError, nameOf } from './errors.ts';
import { isSameKey, parseKeyArn, standsFor } from './key-arn.ts';
import type { AwsKmsSettings } from './settings.ts';

/**
 * KMS binds the wrapped key to the context, and writes an encryption context in clear into every CloudTrail record: so
 * it is given the digest of the context, which binds as well and tells nobody the names of fleets.
 */
const CONTEXT_NAME = 'kongfallback:context-sha256';

export class AwsKmsKeyWrap implements KeyWrap {
  readonly #settings: AwsKmsSettings;
  readonly #connection: Connection;
  readonly #context: PluginContext;

  constructor(settings: AwsKmsSettings, connection: Connection, context: PluginContext) {
    this.#settings = settings;
    this.#connection = connection;
    this.#context = context;
  }

  /** `kms:Encrypt`. The key id is the key's ARN, also where the settings have an alias. */
  async wrap(dataKey: Uint8Array, context: Uint8Array, { signal }: CallOptions): Promise<WrappedKey> {
    const { keyId } = this.#settings;
    const command = new this.#connection.sdk.EncryptCommand({
      KeyId: keyId,
      Plaintext: dataKey,
      EncryptionContext: encryptionContext(context),
    });
    const answer = await this.#ask('encrypt', keyId, signal, (client) =>
      client.send(command, { abortSignal: signal }),
    );
    if (answer.KeyId === undefined || answer.CiphertextBlob === undefined) throw this.#incomplete('encrypt');
    return { keyId: answer.KeyId, wrapped: answer.CiphertextBlob };
  }

  /**
   * `kms:Decrypt`, with keys of the settings only: an id in a stored file must not choose whose key opens it, or
   * anybody's key in any account would do.
   */
  async unwrap(
    keyId: string,
    wrapped: Uint8Array,
    context: Uint8Array,
    { signal }: CallOptions,
  ): Promise<Uint8Array> {
    const held = [this.#settings.keyId, ...this.#settings.formerKeyIds];
    const candidates =
      parseKeyArn(keyId) === undefined ? [] : held.filter((one) => standsFor(one, keyId) !== 'no');
    const exact = candidates.filter((one) => standsFor(one, keyId) === 'exact');
    if (candidates.length === 0) throw this.#notHeld(keyId);
    if (wrapped.length === 0) {
      throw this.#context.error('corrupt', `the data key under ${printable(keyId)} is empty`, {
        hint: 'It was altered; see who else writes to this storage.',
      });
    }
    for (const candidate of exact.length > 0 ? exact.slice(0, 1) : candidates) {
      const dataKey = await this.#decrypt(candidate, keyId, wrapped, context, signal);
      if (dataKey !== undefined) return dataKey;
    }
    throw this.#notHeld(keyId);
  }

  /** Undefined: an alias, and it stands for another key. */
  async #decrypt(
    candidate: string,
    keyId: string,
    wrapped: Uint8Array,
    context: Uint8Array,
    signal: AbortSignal,
  ): Promise<Uint8Array | undefined> {
    const isAlias = standsFor(candidate, keyId) === 'alias';
    const command = new this.#connection.sdk.DecryptCommand({
      KeyId: candidate,
      CiphertextBlob: wrapped,
      EncryptionContext: encryptionContext(context),
    });
    const answer = await this.#ask('decrypt', candidate, signal, (client) =>
      client.send(command, { abortSignal: signal }).catch((error: unknown) => {
        if (isAlias && nameOf(error) === 'IncorrectKeyException') return undefined;
        throw error;
      }),
    );
    if (answer === undefined) return undefined;
    if (answer.Plaintext === undefined || answer.KeyId === undefined) throw this.#incomplete('decrypt');
    return isSameKey(answer.KeyId, keyId) ? answer.Plaintext : undefined;
  }

  async #ask<T>(
    what: 'encrypt' | 'decrypt',
    keyId: string,
    signal: AbortSignal,
    ask: Parameters<Connection['send']>[0] extends (client: infer C) => unknown
      ? (client: C) => Promise<T>
      : never,
  ): Promise<T> {
    try {
      return await this.#connection.send(ask, signal);
    } catch (error) {
      throw kmsError(this.#context, error, { what, keyId, signal });
    }
  }

  #notHeld(keyId: string): Error {
    const { keyId: own, formerKeyIds } = this.#settings;
    const held = [own, ...formerKeyIds].join(', ');
    return this.#context.error('denied', `key ${printable(keyId)} is not among those held: ${held}`, {
      hint: 'Add its ARN to `formerKeyIds`; an alias that was moved no longer stands for the key that sealed.',
    });
  }

  #incomplete(what: string): Error {
    return this.#context.error('unavailable', `KMS answered ${what} without a key`, {
      hint: 'Check that `endpoint` is KMS.',
    });
  }
}

const encryptionContext = (context: Uint8Array) => ({
  [CONTEXT_NAME]: createHash('sha256').update(context).digest('hex'),
});

const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?').slice(0, 256);
