const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

export interface StringRule {
  readonly min?: number;
  readonly max: number;
  readonly pattern?: RegExp;
}

/**
 * One value of JSON that someone else wrote, and where it stands. Every accessor either returns what it names or
 * throws what `refuse` makes of a sentence; nothing is coerced.
 */
export class JsonValue {
  readonly #value: unknown;
  readonly #path: string;
  readonly #refuse: (sentence: string) => Error;

  constructor(value: unknown, path: string, refuse: (sentence: string) => Error) {
    this.#value = value;
    this.#path = path;
    this.#refuse = refuse;
  }

  /** Own members only: `__proto__` and `constructor` are names like any other. */
  member(name: string): JsonValue {
    const object = this.#object();
    if (!Object.hasOwn(object, name)) throw this.#wrong(`has no ${name}`);
    return this.#at(object[name], `.${name}`);
  }

  members(max: number, maxNameLength: number): readonly (readonly [string, JsonValue])[] {
    const entries = Object.entries(this.#object());
    if (entries.length > max) throw this.#wrong(`has ${entries.length} members, at most ${max} are allowed`);
    if (entries.some(([name]) => name.length > maxNameLength))
      throw this.#wrong('has a member with too long a name');
    return entries.map(([name, value]) => [name, this.#at(value, '.*')]);
  }

  items(min: number, max: number): readonly JsonValue[] {
    const value = this.#value;
    if (!Array.isArray(value)) throw this.#wrong('is no list');
    if (value.length < min || value.length > max) {
      throw this.#wrong(`has ${value.length} items instead of ${min} to ${max}`);
    }
    return value.map((item, index) => this.#at(item, `[${index}]`));
  }

  orNull<T>(read: (value: JsonValue) => T): T | null {
    return this.#value === null ? null : read(this);
  }

  string(rule: StringRule): string {
    const value = this.#value;
    if (typeof value !== 'string') throw this.#wrong('is no text');
    const { min = 1, max, pattern } = rule;
    if (value.length < min || value.length > max) {
      throw this.#wrong(`has ${value.length} characters instead of ${min} to ${max}`);
    }
    if (pattern !== undefined && !pattern.test(value)) throw this.#wrong('is malformed');
    return value;
  }

  integer(min: number, max: number): number {
    const value = this.#value;
    if (!Number.isSafeInteger(value)) throw this.#wrong('is no whole number');
    if ((value as number) < min || (value as number) > max) throw this.#wrong(`is not in ${min} to ${max}`);
    return value as number;
  }

  oneOf<T extends string>(allowed: readonly T[]): T {
    const found = allowed.find((candidate) => candidate === this.#value);
    if (found === undefined) throw this.#wrong(`is none of ${allowed.join(', ')}`);
    return found;
  }

  /** ISO 8601 in UTC with milliseconds, and a day that exists. */
  time(): string {
    const text = this.string({ max: 24, pattern: TIME });
    const ms = Date.parse(text);
    if (Number.isNaN(ms) || new Date(ms).toISOString() !== text) throw this.#wrong('is no time');
    return text;
  }

  #object(): Record<string, unknown> {
    const value = this.#value;
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw this.#wrong('is no object');
    return value as Record<string, unknown>;
  }

  #at(value: unknown, step: string): JsonValue {
    return new JsonValue(value, `${this.#path}${step}`, this.#refuse);
  }

  #wrong(sentence: string): Error {
    return this.#refuse(`${this.#path} ${sentence}`);
  }
}

/** @returns undefined when the bytes are not UTF-8 or not JSON */
export function decodeJson(bytes: Uint8Array): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)) };
  } catch {
    return undefined;
  }
}
