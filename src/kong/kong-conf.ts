/** One `name = value` of a kong.conf. */
export interface KongConfEntry {
  /** Without the comment, trimmed, one pair of quotes around it taken off; '' is unset. */
  readonly value: string;
  /** From 1; the first one of a value that is continued. */
  readonly line: number;
  /** Kong itself reads `=` only; its first how-to also writes `:`. */
  readonly separator: '=' | ':';
  /** Line of the former one with this name; the last one counts. */
  readonly repeats?: number;
}

export interface KongConf {
  readonly entries: ReadonlyMap<string, KongConfEntry>;
  /** Lines, from 1, that are neither comment nor `name = value`; Kong passes over them in silence. */
  readonly strayLines: readonly number[];
}

const ENTRY = /^([A-Za-z_][\w.-]*)\s*([=:])(.*)$/s;

/**
 * Reads the text of a kong.conf as Kong does: `#` begins a comment (`\#` is a literal one), lines that begin with `;`
 * are comments, a backslash at the end continues the line, of equal names the last counts. Beyond Kong: `name: value`
 * is understood, and quotes around a whole value are taken off. Never throws; the caller bounds the text.
 */
export function parseKongConf(text: string): KongConf {
  const entries = new Map<string, KongConfEntry>();
  const strayLines: number[] = [];
  for (const { line, content } of logicalLines(text)) {
    const [, name, separator, rest] = ENTRY.exec(content) ?? [];
    if (name === undefined || rest === undefined) {
      strayLines.push(line);
      continue;
    }
    // Kong makes every other character of a name an underscore.
    const key = name.replaceAll(/[.-]/g, '_');
    const former = entries.get(key);
    entries.set(key, {
      value: unquoted(rest.trim()),
      line,
      separator: separator === ':' ? ':' : '=',
      ...(former !== undefined && { repeats: former.line }),
    });
  }
  return { entries, strayLines };
}

/** Lines that say something, comments taken off, continued ones joined. */
function* logicalLines(text: string): Generator<{ line: number; content: string }> {
  const pieces: string[] = [];
  let first = 0;
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  for (const [index, raw] of lines.entries()) {
    if (raw.trim() === '' || /^\s*[#;]/.test(raw)) continue;
    if (pieces.length === 0) first = index + 1;
    const code = withoutComment(raw);
    if (/\\\s*$/.test(code)) {
      pieces.push(code.slice(0, code.lastIndexOf('\\')));
      continue;
    }
    yield { line: first, content: [...pieces.splice(0), code].join('').trim() };
  }
  if (pieces.length > 0) yield { line: first, content: pieces.join('').trim() };
}

const withoutComment = (line: string): string => line.replace(/(?<!\\)#.*$/s, '').replaceAll('\\#', '#');

const unquoted = (value: string): string => /^(["'])(.*)\1$/s.exec(value)?.[2] ?? value;
