import {
  type CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  Parser,
  parseDocument,
  visit,
  type YAMLError,
} from 'yaml';
import { FallbackError } from '../errors/index.ts';
import type { SettingPath } from './setting-path.ts';
import { type Assignment, leavesOf, MOST_LEAVES } from './setting-tree.ts';

export interface SettingsText {
  readonly assignments: readonly Assignment[];
  /** Line and column of the key or list item that a path names, from 1. */
  readonly locate: (path: SettingPath) => { readonly line: number; readonly column: number } | undefined;
}

/** Twice what settings need. */
const MOST_LEVELS = 64;

/** What may be repeated by alias in one file; a bomb needs far more. */
const MOST_ALIASES = 100;

/**
 * Reads the text of a settings file (YAML 1.2, and JSON as a part of it) into assignments, one a leaf, with line
 * and column. An empty section (`export:` alone) says nothing.
 *
 * @throws `invalid` KF_SETTINGS_SYNTAX with line and column, also for duplicate keys, several documents, unknown
 *   tags and alias bombs.
 */
export function readSettingsFile(path: string, text: string): SettingsText {
  const lines = new LineCounter();
  const refuse = (message: string, offset?: number, cause?: unknown): never => {
    const at = offset === undefined ? undefined : lines.linePos(offset);
    const where = at === undefined ? path : `${path}:${at.line}:${at.col}`;
    throw new FallbackError('invalid', 'KF_SETTINGS_SYNTAX', `${where}: ${message}`, {
      cause,
      hint: 'Correct the file at this place; it is read as YAML 1.2, of which JSON is a part.',
    });
  };
  let document: Document.Parsed;
  let data: unknown;
  try {
    const excess = excessOf(text, lines);
    if (excess !== undefined) return refuse(excess.message, excess.offset);
    document = parseDocument(text, { prettyErrors: false, uniqueKeys: true });
    const [problem] = [...document.errors, ...document.warnings];
    // Without the problem as cause: its message repeats text of the file.
    if (problem !== undefined) return refuse(inWords(problem), problem.pos[0]);
    visit(document, {
      Alias: (_, alias) => {
        if (alias.resolve(document) === undefined) refuse(WORDS['BAD_ALIAS'] ?? '', alias.range?.[0]);
      },
      Scalar: (_, { anchor, value, range }) => {
        if (anchor !== undefined && value === null) refuse(WORDS['BAD_ANCHOR'] ?? '', range?.[0]);
      },
      // The parser would make text of it, and print that text in a warning of the process.
      Pair: (_, { key }) => {
        const named = isAlias(key) ? key.resolve(document) : key;
        const value = isScalar(named) ? named.value : named;
        if (typeof value === 'object' && value !== null) refuse(NO_NAME, (key as Node).range?.[0]);
      },
    });
    data = document.toJS({ maxAliasCount: MOST_ALIASES });
  } catch (error) {
    if (error instanceof FallbackError) throw error;
    // The parser's own limit on aliases.
    return refuse(
      `cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      undefined,
      error,
    );
  }
  if (data === null || data === undefined) return { assignments: [], locate: () => undefined };
  if (typeof data !== 'object' || Array.isArray(data)) {
    return refuse('expected settings as `name: value`, one a line');
  }
  const leaves = leavesOf(data);
  if (leaves === undefined) return refuse('holds more values, or deeper ones, than settings can have');
  const locate = (at: SettingPath) => {
    const offset = offsetOf(document, at);
    const position = offset === undefined ? undefined : lines.linePos(offset);
    return position && { line: position.line, column: position.col };
  };
  const assignments = leaves
    .filter(({ value, path: at }) => value !== null || typeof at.at(-1) === 'number')
    .map((leaf): Assignment => ({ ...leaf, origin: { kind: 'file', path, ...locate(leaf.path) } }));
  return { assignments, locate };
}

/** `key: {{ .Values.key }}` that nobody has filled in is one. */
const NO_NAME =
  'a list, a section or binary data in place of a name; put what begins with {, [ or ! in quotes';

/** In place of messages that would repeat text of the file: a password may begin with any character. */
const WORDS: Readonly<Record<string, string>> = {
  TAG_RESOLVE_FAILED: 'an unknown tag; put a value that begins with ! in quotes',
  BAD_ALIAS: 'an alias of nothing; put a value that begins with * in quotes',
  BAD_ANCHOR: 'an anchor without a value; put a value that begins with & in quotes',
  BAD_DIRECTIVE: 'an unknown directive; put a value that begins with % in quotes',
  BAD_DQ_ESCAPE: 'an unknown escape sequence; put a value that holds \\ in single quotes',
};

const inWords = ({ code, message }: YAMLError): string => WORDS[code] ?? message.replace(/: .*$/s, '');

/**
 * Where the text is nested deeper, or holds more, than settings do. The composer recurses, and a stack that
 * overflows while a regular expression is compiled ends the whole process: no catch helps. It also compares every
 * key of a map with every other. So the tokens are looked at first, without recursion; lines are counted on the way.
 */
function excessOf(text: string, lines: LineCounter): { message: string; offset: number } | undefined {
  const open: { token: CST.Token; depth: number }[] = [];
  for (const token of new Parser(lines.addNewLine).parse(text)) open.push({ token, depth: 0 });
  let values = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token, depth } = next;
    const offset = token.offset;
    if (depth > MOST_LEVELS) return { message: `nested deeper than ${MOST_LEVELS} levels`, offset };
    if (token.type === 'document') {
      if (token.value !== undefined) open.push({ token: token.value, depth });
    } else if ('items' in token) {
      values += token.items.length;
      if (values > MOST_LEAVES) return { message: `holds more than ${MOST_LEAVES} values`, offset };
      for (const { key, value } of token.items) {
        if (key) open.push({ token: key, depth: depth + 1 });
        if (value) open.push({ token: value, depth: depth + 1 });
      }
    }
  }
  return undefined;
}

/** Offset of the key that names the leaf, or of the list item. */
function offsetOf(document: Document.Parsed, path: SettingPath): number | undefined {
  let node: unknown = document.contents;
  let offset: number | undefined;
  for (const part of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === part);
      if (isScalar(pair?.key)) offset = pair.key.range?.[0] ?? offset;
      node = pair?.value;
    } else if (isSeq(node) && typeof part === 'number') {
      node = node.items[part];
      offset = (node as { range?: readonly number[] } | undefined)?.range?.[0] ?? offset;
    } else return offset;
  }
  return offset;
}
