// The age format has no associated data, but its header has room for stanzas of any type: age passes over those it
// does not know, and the header's MAC covers them. So the context stands in one, and the payload stays the bare gzip.
import { createHash } from 'node:crypto';
import type { Identity, Recipient, Stanza } from 'age-encryption';

/** `-> kongfallback/context-v1 <recipient id>…`, body: SHA-256 of the context. */
const TYPE = 'kongfallback/context-v1';

/** Names a recipient without being one: 16 hex digits. */
export const recipientId = (recipient: string): string =>
  createHash('sha256').update('kongfallback age recipient id\n').update(recipient).digest('hex').slice(0, 16);

export class ContextRecipient implements Recipient {
  readonly #stanza: Stanza;

  constructor(
    make: new (args: string[], body: Uint8Array) => Stanza,
    context: Uint8Array,
    ids: readonly string[],
  ) {
    this.#stanza = new make([TYPE, ...ids], digest(context));
  }

  wrapFileKey(): Stanza[] {
    return [this.#stanza];
  }
}

/** Opens nothing: looks at the stanza while others look for the file key, before the MAC says that it is genuine. */
export class ContextWitness implements Identity {
  readonly #expected: Buffer;
  /** Undefined: a file without the stanza, such as the age command writes. */
  matches: boolean | undefined;
  sealedFor: readonly string[] = [];

  constructor(context: Uint8Array) {
    this.#expected = digest(context);
  }

  unwrapFileKey(stanzas: Stanza[]): null {
    const found = stanzas.filter(({ args }) => args[0] === TYPE);
    if (found.length === 0) return null;
    this.matches = found.every(({ body }) => this.#expected.equals(body));
    this.sealedFor = found.flatMap(({ args }) => args.slice(1));
    return null;
  }
}

/** Asked last: so none of the identities before it has found the file key. */
export class NobodyMatched implements Identity {
  matched = false;

  unwrapFileKey(): null {
    this.matched = true;
    return null;
  }
}

const digest = (context: Uint8Array): Buffer => createHash('sha256').update(context).digest();
