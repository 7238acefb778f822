/** Shorter values would blank out half of every line, and are no secrets worth the name. */
const MINIMUM_LENGTH = 6;

/** Shorter pieces of base64 occur by chance. */
const MINIMUM_PIECE = 12;

/**
 * Replaces every known secret in a text, also where it appears URL-encoded, as JSON escapes, in hexadecimal, or in
 * base64, alone or with something around it. The last line of defence: no message is meant to carry a secret in the
 * first place.
 */
export class Redactor {
  readonly #secrets = new Set<string>();
  /** Longest first. Made when they are first needed: many a command says one line, and a start must be fast. */
  #forms: readonly string[] | undefined;

  constructor(secrets: readonly string[] = []) {
    this.learn(secrets);
  }

  /** For all that is redacted from now on; what was known stays known, since a former key may still be in use. */
  learn(secrets: readonly string[]): void {
    for (const secret of secrets) {
      const trimmed = secret.trim();
      if (trimmed.length >= MINIMUM_LENGTH) this.#secrets.add(trimmed);
    }
    this.#forms = undefined;
  }

  // Not one pattern of them all: compiling it takes longer than looking for each in what one command says.
  readonly redact = (text: string): string => {
    this.#forms ??= [...new Set([...this.#secrets].flatMap(formsOf))].sort((a, b) => b.length - a.length);
    return this.#forms.reduce(
      (done, form) => (done.includes(form) ? done.replaceAll(form, '***') : done),
      text,
    );
  };
}

function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret, 'utf8');
  const escaped = encodeURIComponent(secret);
  const base64 = [bytes.toString('base64'), bytes.toString('base64').replace(/=+$/, ''), ...piecesOf(bytes)];
  return [
    secret,
    escaped,
    escaped.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    JSON.stringify(secret).slice(1, -1),
    bytes.toString('hex'),
    ...base64,
    ...base64.map((form) => form.replaceAll('+', '-').replaceAll('/', '_')),
  ];
}

/** In `user:password` as base64, characters at both ends of the password are mixed with their neighbours. */
function piecesOf(bytes: Buffer): string[] {
  return [0, 1, 2]
    .map((shift) => {
      const text = Buffer.concat([Buffer.alloc(shift), bytes])
        .toString('base64')
        .replace(/=+$/, '');
      const isWhole = (shift + bytes.length) % 3 === 0;
      return text.slice(shift === 0 ? 0 : shift + 1, isWhole ? undefined : -1);
    })
    .filter((piece) => piece.length >= MINIMUM_PIECE);
}
