import { randomBytes } from 'node:crypto';
import { FallbackError } from '../errors/index.ts';
import type { Encryption, KeyWrap } from '../plugin/index.ts';
import { type Breaker, NO_RETRY, type Outside, type RetryPolicy } from '../resilience/index.ts';
import { DATA_KEY_BYTES, openEnvelope, sealEnvelope } from './envelope.ts';
import { type HeaderKey, MAX_WRAPPED_KEYS } from './envelope-header.ts';
import { KeyRing, type KeyWrapInstance, type PluginCall } from './key-ring.ts';
import { openWithPlugin, sealWithPlugin } from './plugin-cipher.ts';

/** What FORMAT.md calls the core's own format, and plain gzip. */
export const ENVELOPE = 'envelope';
export const NOT_ENCRYPTED = 'none';

export interface EncryptionInstance {
  readonly id: string;
  /** What the plugin calls itself (`Plugin.name`): it is stored, and a path would differ between machines. */
  readonly use: string;
  readonly plugin: Encryption | KeyWrap;
}

export interface SealingOptions {
  readonly outside: Outside;
  /** For each call into a plugin, and for each piece of a plugin's stream; milliseconds. */
  readonly deadlineMs: number;
  readonly retry?: RetryPolicy;
  readonly breaker?: (id: string) => Breaker | undefined;
}

export interface SealedBytes {
  /** For the head's entry: `envelope`, or the name of an encryption plugin with a format of its own. */
  readonly encryption: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Two snapshots are sealed alike when these are equal. */
export interface SealedUnder {
  readonly encryption: string;
  /** Of the envelope: which keys wrap its data key. */
  readonly keys: readonly Pick<HeaderKey, 'plugin' | 'keyId'>[];
}

export interface OpenSealedOptions {
  readonly signal: AbortSignal;
  /** The entry comes from a head that a trusted key signed. */
  readonly authenticated: boolean;
}

/** Compressed documents in, sealed bytes out, and back, with what `encryption:` in the settings lists. */
export class Sealing {
  readonly #own: { readonly id: string; readonly use: string; readonly plugin: Encryption } | undefined;
  readonly #keys: KeyRing | undefined;
  readonly #uses: readonly string[];
  readonly #call: PluginCall;
  /** By what was sealed last. */
  #wrappedBy: SealedUnder['keys'] | undefined;

  /**
   * @param instances one Encryption, or one or more KeyWraps
   * @throws FallbackError `invalid` KF_ENCRYPTION_MIXED, KF_ENCRYPTION_MISSING
   */
  constructor(instances: readonly EncryptionInstance[], options: SealingOptions) {
    const { outside, deadlineMs, retry = NO_RETRY, breaker } = options;
    this.#call = (id, what, signal, work) => {
      const guard = breaker?.(id);
      return outside.call(what, { signal, deadlineMs, retry, ...(guard && { breaker: guard }) }, work);
    };
    this.#uses = instances.map(({ use }) => use);
    const [first] = instances;
    if (first === undefined) throw missing();
    const wraps = instances.filter(isKeyWrap);
    if (wraps.length === instances.length && wraps.length <= MAX_WRAPPED_KEYS) {
      this.#keys = new KeyRing(wraps, this.#call);
    } else if (instances.length === 1 && isEncryption(first) && first.use !== ENVELOPE) {
      this.#own = first;
    } else {
      throw mixed(instances);
    }
  }

  /**
   * With a list of key wraps every one of them wraps, or nothing is sealed: while a key service is away the export
   * fails loudly and is tried again, and the former snapshot stays, which each of the keys opens. Sealing with those
   * that are left would go on publishing what the nodes that hold the missing one alone cannot open, and they take no
   * older one in its place; or, with the offline key missing, what nobody opens on the day it is kept for.
   *
   * @throws FallbackError what the plugin throws, classified; `invalid` KF_ENCRYPTION_WRAP_INVALID
   */
  async seal(
    compressed: Uint8Array,
    context: Uint8Array,
    options: { readonly signal: AbortSignal },
  ): Promise<SealedBytes> {
    const { signal } = options;
    const keys = this.#keys;
    if (keys !== undefined) {
      const wrap = (dataKey: Uint8Array) => this.#wrap(keys, dataKey, context, signal);
      return { encryption: ENVELOPE, bytes: await sealEnvelope(compressed, context, wrap) };
    }
    const own = this.#own;
    if (own === undefined) throw missing();
    return { encryption: own.use, bytes: await sealWithPlugin(own, compressed, context, signal, this.#call) };
  }

  /**
   * How `seal` seals now. A plugin tells its key only when it wraps, so a throw-away key is wrapped unless something
   * was sealed before.
   *
   * @throws FallbackError what the plugin throws, classified
   */
  async present(context: Uint8Array, { signal }: { readonly signal: AbortSignal }): Promise<SealedUnder> {
    const keys = this.#keys;
    if (keys === undefined) return { encryption: this.#own?.use ?? '', keys: [] };
    if (this.#wrappedBy === undefined) await this.#wrap(keys, randomBytes(DATA_KEY_BYTES), context, signal);
    return { encryption: ENVELOPE, keys: this.#wrappedBy ?? [] };
  }

  async #wrap(keys: KeyRing, dataKey: Uint8Array, context: Uint8Array, signal: AbortSignal) {
    const wrapped = await keys.wrap(dataKey, context, signal);
    this.#wrappedBy = wrapped.map(({ plugin, keyId }) => ({ plugin, keyId }));
    return wrapped;
  }

  /**
   * The compressed document, authenticated as far as the encryption authenticates.
   *
   * @param encryption the entry's `sealed.encryption`
   * @throws FallbackError `denied` KF_ENCRYPTION_NOT_CONFIGURED, KF_KEY_UNKNOWN; `corrupt` KF_SNAPSHOT_CORRUPT;
   *   `unsupported` KF_SNAPSHOT_FORMAT; a plugin's `unavailable`
   */
  open(
    sealed: AsyncIterable<Uint8Array>,
    encryption: string,
    context: Uint8Array,
    options: OpenSealedOptions,
  ): AsyncIterable<Uint8Array> {
    const { signal, authenticated } = options;
    const keys = this.#keys;
    if (encryption === ENVELOPE && keys !== undefined) {
      return openEnvelope(sealed, context, (wrapped) => keys.unwrap(wrapped, context, signal));
    }
    if (encryption === this.#own?.use) {
      return openWithPlugin(this.#own, sealed, context, signal, this.#call);
    }
    // Who signed the head vouches for the digest of these bytes; without a signature the encryption is all that
    // keeps a stranger's document out, and plain bytes must not get around it (FORMAT.md §7).
    if (encryption === NOT_ENCRYPTED && authenticated) return sealed;
    throw notConfigured(encryption, this.#uses);
  }
}

function isKeyWrap(instance: EncryptionInstance): instance is EncryptionInstance & KeyWrapInstance {
  return typeof (instance.plugin as Partial<KeyWrap>).wrap === 'function';
}

function isEncryption(
  instance: EncryptionInstance,
): instance is EncryptionInstance & { readonly plugin: Encryption } {
  return typeof (instance.plugin as Partial<Encryption>).seal === 'function';
}

function missing(): FallbackError {
  return new FallbackError('invalid', 'KF_ENCRYPTION_MISSING', 'no encryption is configured', {
    hint: 'Set `encryption`; `{ use: none }` is a choice that has to be written down.',
  });
}

function mixed(instances: readonly EncryptionInstance[]): FallbackError {
  const uses = instances.map(({ use }) => use).join(', ');
  return new FallbackError(
    'invalid',
    'KF_ENCRYPTION_MIXED',
    `these encryptions do not go together: ${uses}`,
    {
      hint: `Give either one encryption with a format of its own (none, age), or 1 to ${MAX_WRAPPED_KEYS} that wrap keys (aes-gcm, aws-kms).`,
    },
  );
}

function notConfigured(encryption: string, uses: readonly string[]): FallbackError {
  const name = JSON.stringify(encryption);
  return new FallbackError(
    'denied',
    'KF_ENCRYPTION_NOT_CONFIGURED',
    `the snapshot is sealed as ${name}, while \`encryption\` holds ${uses.join(', ')}`,
    {
      hint:
        encryption === ENVELOPE
          ? 'Configure the encryption that the exporter wraps its keys with, such as aes-gcm.'
          : `Configure the encryption ${name} as the exporter has it.`,
    },
  );
}
