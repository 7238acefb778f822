import type { CallOptions, Encryption, PluginContext } from 'kongfallback/plugin';
import { ContextRecipient, ContextWitness, NobodyMatched, recipientId } from './context-stanza.ts';
import { piecesOf, SourceStream } from './streams.ts';

type Age = typeof import('age-encryption');

interface AgeKeys {
  readonly recipients: readonly string[];
  readonly identities: readonly string[];
}

/** A header for 600 recipients; a file without a line end would else be collected whole. Bytes. */
const MAX_HEADER_BYTES = 65_536;
/** What the streams have taken in advance when the header ends. Bytes. */
const READ_AHEAD_BYTES = 65_536;

/**
 * age v1 (age-encryption.org/v1). Who may open is the recipients' identities; who wrote is told by the head's
 * signature alone, since everybody who knows a recipient can seal for it.
 */
export class AgeEncryption implements Encryption {
  readonly #age: Age;
  readonly #keys: AgeKeys;
  /** Recipients that the identities stand for. */
  readonly #own: ReadonlySet<string>;
  readonly #context: PluginContext;

  private constructor(age: Age, keys: AgeKeys, own: ReadonlySet<string>, context: PluginContext) {
    this.#age = age;
    this.#keys = keys;
    this.#own = own;
    this.#context = context;
  }

  /** @throws kind `invalid` for a missing package, and for what only looks like a recipient or an identity */
  static async create(keys: AgeKeys, context: PluginContext): Promise<AgeEncryption> {
    const age = await context.import<Age>('age-encryption');
    for (const [index, recipient] of keys.recipients.entries()) {
      try {
        new age.Encrypter().addRecipient(recipient);
      } catch (cause) {
        throw context.error('invalid', `recipients[${index}] is not a recipient: ${recipient}`, {
          cause,
          hint: 'Copy it again, whole: `age-keygen -y FILE` prints the recipient of an identity.',
        });
      }
    }
    const own = new Set<string>();
    for (const [index, identity] of keys.identities.entries()) {
      const recipient = await age.identityToRecipient(identity).catch(() => undefined);
      // Without the cause, which might repeat it.
      if (recipient === undefined) {
        throw context.error('invalid', `identities[${index}] is not an identity`, {
          hint: 'Copy it again, whole: the line of `age-keygen` that begins with AGE-SECRET-KEY-1.',
        });
      }
      own.add(recipientId(recipient));
    }
    return new AgeEncryption(age, keys, own, context);
  }

  async *seal(
    document: AsyncIterable<Uint8Array>,
    context: Uint8Array,
    { signal }: CallOptions,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const { recipients } = this.#keys;
    if (recipients.length === 0) {
      throw this.#context.error('invalid', 'there is no recipient to seal for', {
        hint: 'An exporter needs `recipients`; identities only open.',
      });
    }
    const encrypter = new this.#age.Encrypter();
    encrypter.addRecipient(new ContextRecipient(this.#age.Stanza, context, recipients.map(recipientId)));
    for (const recipient of recipients) encrypter.addRecipient(recipient);
    const source = new SourceStream(document, () => signal.throwIfAborted());
    try {
      yield* piecesOf(await encrypter.encrypt(source.readable));
    } catch (error) {
      throw source.failure?.error ?? error;
    } finally {
      await source.leave();
    }
  }

  async *open(
    sealed: AsyncIterable<Uint8Array>,
    context: Uint8Array,
    { signal }: CallOptions,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.#keys.identities.length === 0) {
      throw this.#context.error('denied', 'there is no identity here to open with', {
        hint: 'Set `identities` where snapshots are read. An exporter with recipients only cannot read what it wrote.',
      });
    }
    const witness = new ContextWitness(context);
    const decrypter = new this.#age.Decrypter();
    decrypter.addIdentity(witness);
    for (const identity of this.#keys.identities) decrypter.addIdentity(identity);
    const nobody = new NobodyMatched();
    decrypter.addIdentity(nobody);
    let inHeader = true;
    const source = new SourceStream(sealed, (given) => {
      signal.throwIfAborted();
      if (inHeader && given > MAX_HEADER_BYTES + READ_AHEAD_BYTES)
        throw this.#damaged('its header does not end');
    });
    try {
      const opened = await decrypter.decrypt(source.readable);
      inHeader = false;
      if (witness.matches === false) throw this.#damaged('it was sealed for another snapshot');
      yield* piecesOf(opened);
    } catch (error) {
      if (source.failure !== undefined) throw source.failure.error;
      if ((error as { kind?: unknown } | null)?.kind !== undefined) throw error;
      throw nobody.matched && this.#isForOthers(witness)
        ? this.#notOurs(witness)
        : this.#damaged(undefined, error);
    } finally {
      await source.leave();
    }
  }

  /** No identity fits: the file is for others, unless it says that it is for one of ours: then it is damaged. */
  #isForOthers({ sealedFor, matches }: ContextWitness): boolean {
    return matches !== false && !sealedFor.some((id) => this.#own.has(id));
  }

  #notOurs({ sealedFor }: ContextWitness): Error {
    const names = sealedFor.filter((id) => /^[0-9a-f]{16}$/.test(id)).slice(0, 16);
    const wanted = names.length === 0 ? 'others' : `recipients ${names.join(', ')}`;
    return this.#context.error(
      'denied',
      `sealed for ${wanted}; the identities here are of ${[...this.#own].join(', ')}`,
      {
        hint: 'Add the identity of one of its recipients to `identities`, or export again with our recipient.',
      },
    );
  }

  #damaged(why: string | undefined, cause?: unknown): Error {
    const told = why ?? (cause instanceof Error ? cause.message : 'it does not open');
    return this.#context.error('corrupt', `the age file is damaged: ${told}`, {
      ...(cause !== undefined && { cause }),
      hint: 'An older snapshot is used where there is one; see who else writes to this storage.',
    });
  }
}
