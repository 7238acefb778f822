import { createHash } from 'node:crypto';
import type { CallOptions, KeyWrap, PluginContext, WrappedKey } from 'kongfallback/plugin';
import { answerError } from './errors.ts';
import type { TokenSource } from './tokens.ts';
import type { VaultAnswer } from './vault-answer.ts';
import type { VaultClient } from './vault-client.ts';

export interface VaultTransitOptions {
  readonly client: VaultClient;
  readonly tokens: TokenSource;
  readonly context: PluginContext;
  readonly mount: string;
  readonly key: string;
  readonly namespace: string | undefined;
}

const DIGEST_BYTES = 32;
const CIPHERTEXT = /^vault:v([1-9]\d{0,8}):([A-Za-z0-9+/]+={0,2})$/;

/**
 * Binds a wrapped key to its context twice. `associated_data` lets Vault itself refuse; but a server that does not know
 * the parameter passes over it without a word. So the digest of the context also stands before the data key in what is
 * encrypted, and is compared here. Vault is told the digest only: the context has the fleet's name, which its audit
 * log need not have.
 */
export class VaultTransitKeyWrap implements KeyWrap {
  readonly #options: VaultTransitOptions;
  /** Without the address: a replicated Vault opens as well. */
  readonly #name: string;

  constructor(options: VaultTransitOptions) {
    this.#options = options;
    this.#name = [options.namespace, options.mount, options.key].filter(Boolean).join('/');
  }

  /** The key id carries the version of the key: so a rotation in Vault shows. */
  async wrap(dataKey: Uint8Array, context: Uint8Array, { signal }: CallOptions): Promise<WrappedKey> {
    const digest = sha256(context);
    const plaintext = Buffer.concat([digest, dataKey]);
    const body = { plaintext: plaintext.toString('base64'), associated_data: digest.toString('base64') };
    plaintext.fill(0);
    const { ciphertext } = (await this.#post('encrypt', body, signal)).json;
    const version = versionOf(ciphertext);
    if (typeof ciphertext !== 'string' || version === undefined) throw this.#unusable('encrypt');
    return { keyId: `${this.#name}:v${version}`, wrapped: Buffer.from(ciphertext, 'latin1') };
  }

  async unwrap(
    keyId: string,
    wrapped: Uint8Array,
    context: Uint8Array,
    { signal }: CallOptions,
  ): Promise<Uint8Array> {
    const version = this.#versionIn(keyId);
    if (version === undefined) throw this.#notHeld(keyId);
    const ciphertext = Buffer.from(wrapped).toString('latin1');
    if (versionOf(ciphertext) !== version) throw this.#corrupt(keyId, 'it is no ciphertext of that version');
    const digest = sha256(context);
    const body = { ciphertext, associated_data: digest.toString('base64') };
    const { plaintext } = (await this.#post('decrypt', body, signal)).json;
    if (typeof plaintext !== 'string') throw this.#unusable('decrypt');
    const opened = Buffer.from(plaintext, 'base64');
    if (!opened.subarray(0, DIGEST_BYTES).equals(digest)) {
      throw this.#corrupt(keyId, 'it was wrapped for another snapshot');
    }
    return opened.subarray(DIGEST_BYTES);
  }

  /** One attempt; after a refusal one more, if there is another token by then. */
  async #post(what: 'encrypt' | 'decrypt', body: object, signal: AbortSignal): Promise<VaultAnswer> {
    const { client, tokens, context, mount, key } = this.#options;
    const path = `${mount}/${what}/${key}`;
    const token = await tokens.token(signal);
    let answer = await client.post(path, body, token, signal);
    if (answer.status === 403) {
      const another = await tokens.renewed(token, signal);
      if (another !== undefined) answer = await client.post(path, body, another, signal);
    }
    if (answer.status === 200) return answer;
    throw answerError(answer, { address: client.address, path, what }, context);
  }

  #versionIn(keyId: string): string | undefined {
    if (!keyId.startsWith(`${this.#name}:v`)) return undefined;
    return /^[1-9]\d{0,8}$/.exec(keyId.slice(this.#name.length + 2))?.[0];
  }

  #notHeld(keyId: string): Error {
    const wanted = keyId.replace(/[^\x20-\x7e]/g, '?').slice(0, 256);
    return this.#options.context.error('denied', `key ${wanted} is not ${this.#name}, the one held`, {
      hint: 'Configure the `mount`, `key` and `namespace` that sealed the snapshot, in an entry of their own if need be.',
    });
  }

  #corrupt(keyId: string, why: string): Error {
    return this.#options.context.error('corrupt', `the data key does not open under key ${keyId}: ${why}`, {
      hint: 'It was altered; see who else writes to this storage.',
    });
  }

  #unusable(what: string): Error {
    const { client, context } = this.#options;
    return context.error('unavailable', `${client.address} answered ${what} without a key`, {
      hint: 'Check that `address` is Vault or OpenBao.',
    });
  }
}

/** Of what stands in its one encoding: base64 has slack bits, which Vault does not look at. */
function versionOf(ciphertext: unknown): string | undefined {
  const [, version, base64 = ''] = CIPHERTEXT.exec(String(ciphertext)) ?? [];
  return Buffer.from(base64, 'base64').toString('base64') === base64 ? version : undefined;
}

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
