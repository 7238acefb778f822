import { createHash } from 'node:crypto';
import { FallbackError } from '../errors/index.ts';
import { luaNumber } from './lua-number.ts';

/** The collections that have a hash of their own, in the order in which they enter the whole. */
const HASHED_APART = ['routes', 'services', 'plugins', 'upstreams', 'targets'] as const;
export const EMPTY_HASH = '0'.repeat(32);
const FOLD_ABOVE_BYTES = 1_000_000;
const MAX_DEPTH = 1024;

export interface ConfigHashes {
  readonly config: string;
  readonly routes: string;
  readonly services: string;
  readonly plugins: string;
  readonly upstreams: string;
  readonly targets: string;
}

/**
 * The hashes that a control plane of 3.0 or later sends with this table (kong/clustering/config_helper.lua,
 * calculate_config_hash, unchanged from 3.0.0 to 3.10).
 */
export function configHashes(table: Readonly<Record<string, unknown>>): ConfigHashes {
  const apart = HASHED_APART.map((name) =>
    Object.hasOwn(table, name) ? valueHash(table[name]) : EMPTY_HASH,
  );
  const rest = Object.fromEntries(
    Object.entries(table).filter(([name]) => !(HASHED_APART as readonly string[]).includes(name)),
  );
  const [routes, services, plugins, upstreams, targets] = apart as [string, string, string, string, string];
  const config = createHash('md5')
    .update([...apart, valueHash(rest)].join(''))
    .digest('hex');
  return { config, routes, services, plugins, upstreams, targets };
}

/** @throws FallbackError `unsupported` KF_HASH_TOO_DEEP */
export function valueHash(value: unknown): string {
  const text = new FoldingText();
  append(text, value, 0);
  return text.digest();
}

function append(text: FoldingText, value: unknown, depth: number): void {
  if (depth > MAX_DEPTH) {
    throw new FallbackError('unsupported', 'KF_HASH_TOO_DEEP', `nested deeper than ${MAX_DEPTH}`, {
      hint: 'No data plane could load such a configuration.',
    });
  }
  text.fold();
  if (value === null || value === undefined) text.add('/null/');
  else if (typeof value === 'string') text.add(value);
  else if (typeof value === 'number') text.add(luaNumber(value));
  else if (typeof value === 'boolean') text.add(value ? 'true' : 'false');
  else if (Array.isArray(value)) appendArray(text, value, depth);
  else appendObject(text, value as Record<string, unknown>, depth);
}

function appendArray(text: FoldingText, items: readonly unknown[], depth: number): void {
  if (items.length === 0) text.add('{}');
  items.forEach((item, i) => {
    append(text, item, depth + 1);
    // Lua's code treats up to five items apart and joins them; from six on each is followed by the mark.
    if (items.length > 5 || i < items.length - 1) text.add(';');
  });
}

function appendObject(text: FoldingText, object: Record<string, unknown>, depth: number): void {
  const keys = inByteOrder(Object.keys(object));
  if (keys.length === 0) text.add('{}');
  for (const key of keys) {
    text.add(key);
    text.add(':');
    append(text, object[key], depth + 1);
    text.add(';');
  }
}

/** JavaScript sorts by UTF-16, Lua by bytes; they differ only where surrogates are. */
function inByteOrder(keys: string[]): string[] {
  if (!keys.some((key) => /[\ud800-\udfff]/.test(key))) return keys.sort();
  return keys.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** Text that is replaced by its own md5 whenever it has grown past a million bytes. */
class FoldingText {
  #folded: Buffer = Buffer.alloc(0);
  #text = '';
  #bytes = 0;

  add(text: string): void {
    this.#text += text;
    this.#bytes += Buffer.byteLength(text);
  }

  fold(): void {
    if (this.#bytes <= FOLD_ABOVE_BYTES) return;
    this.#folded = this.#digest();
    this.#text = '';
    this.#bytes = this.#folded.length;
  }

  digest(): string {
    return this.#digest().toString('hex');
  }

  #digest(): Buffer {
    return createHash('md5').update(this.#folded).update(this.#text).digest();
  }
}
