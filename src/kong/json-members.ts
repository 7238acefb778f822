const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;

/** One member of a JSON object by the places of its value's bytes. */
export interface JsonMember {
  readonly key: string;
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

/**
 * Walks the members of the outermost object without parsing their values, up to the member named `stopAt`, for
 * which only `start` is found out (that value may be 40 MB). Exact for well-formed JSON; what is malformed ends
 * the walk or yields a slice that JSON.parse refuses, so a caller must parse what it uses.
 */
export function membersBefore(
  bytes: Uint8Array,
  stopAt: string,
): { readonly members: readonly JsonMember[]; readonly stop: number | undefined } {
  const members: JsonMember[] = [];
  let at = skipSpace(bytes, 0);
  if (bytes[at] !== 0x7b) return { members, stop: undefined };
  do {
    const keyStart = skipSpace(bytes, at + 1);
    if (bytes[keyStart] !== QUOTE) break;
    const keyEnd = endOfString(bytes, keyStart);
    const key = decodeKey(bytes, keyStart, keyEnd);
    const colon = skipSpace(bytes, keyEnd);
    if (key === undefined || bytes[colon] !== COLON) break;
    const start = skipSpace(bytes, colon + 1);
    if (key === stopAt) return { members, stop: start };
    const end = endOfValue(bytes, start);
    if (end > bytes.length) break;
    members.push({ key, start, end });
    at = skipSpace(bytes, end);
  } while (bytes[at] === COMMA);
  return { members, stop: undefined };
}

/** Where the value that begins at `start` ends (exclusive); beyond the last byte if it does not. */
export function endOfValue(bytes: Uint8Array, start: number): number {
  const first = bytes[start];
  if (first === QUOTE) return endOfString(bytes, start);
  if (first === 0x7b || first === 0x5b) return endOfNested(bytes, start);
  for (let at = start; at < bytes.length; at++) {
    const c = bytes[at] as number;
    if (c === COMMA || c === 0x7d || c === 0x5d || c <= 0x20) return at;
  }
  return bytes.length + 1;
}

export function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at++;
  return at;
}

// Counts depth instead of recursing: nesting that an attacker chose must not decide our stack.
function endOfNested(bytes: Uint8Array, start: number): number {
  let depth = 0;
  let at = start;
  while (at < bytes.length) {
    const c = bytes[at++];
    if (c === QUOTE) at = endOfString(bytes, at - 1);
    else if (c === 0x7b || c === 0x5b) depth++;
    else if (c === 0x7d || c === 0x5d) {
      if (--depth === 0) return at;
    }
  }
  return bytes.length + 1;
}

function endOfString(bytes: Uint8Array, start: number): number {
  let at = start + 1;
  while (at < bytes.length) {
    const c = bytes[at++];
    if (c === QUOTE) return at;
    if (c === BACKSLASH) at++;
  }
  return bytes.length + 1;
}

/** Keys may be written with escapes: `"config\u005ftable"` is the same key. */
function decodeKey(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (end > bytes.length) return undefined;
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString());
  } catch {
    return undefined;
  }
}
