export const MASK = '***';

/** Shorter ones would blank out ordinary words and numbers wherever they occur. */
const SHORTEST_MASKED = 4;

/** Secret values of one start, for masking output and for the log's redaction. */
export class Secrets {
  readonly #values = new Set<string>();

  add(value: string): void {
    const trimmed = value.trim();
    if (trimmed.length >= SHORTEST_MASKED) this.#values.add(trimmed);
    if (!trimmed.includes('\n')) return;
    // A PEM may turn up without its armour or cut by lines.
    for (const line of trimmed.split('\n')) {
      const part = line.trim();
      if (part.length >= 16 && !part.startsWith('-----')) this.#values.add(part);
    }
  }

  /** Longest first, so that a value that contains another is masked as a whole. */
  values(): readonly string[] {
    return [...this.#values].sort((a, b) => b.length - a.length);
  }

  readonly mask = (text: string): string =>
    this.values().reduce((masked, value) => masked.replaceAll(value, MASK), text);
}
