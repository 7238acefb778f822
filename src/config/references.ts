import { resolve } from 'node:path';
import { readText } from './read-text.ts';

export interface ReferenceSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folder that `${file:…}` is relative to. */
  readonly baseDirectory: string;
}

export interface Resolved {
  readonly text: string;
  /** Values that came in through references. */
  readonly parts: readonly string[];
  /** Files among them that every user of the machine may read. */
  readonly openFiles: readonly string[];
}

/** An escape, or a reference. */
const TOKEN = /\$\$\{|\$\{([^}]*)\}/g;

/** True when there is anything to resolve, escapes included. */
export const hasReference = (text: string): boolean => text.includes('${');

/** Text that is to be taken as it is, whatever it looks like. */
export const literal = (text: string): string => text.replaceAll('${', () => '$${');

/** True when a part of the text comes from elsewhere; escapes do not count. */
export const refersElsewhere = (text: string): boolean =>
  [...text.matchAll(TOKEN)].some(([, reference]) => reference !== undefined);

/**
 * Puts in what `${env:NAME}` and `${file:PATH}` stand for; `$${` is a literal `${`. What is put in is taken as it is,
 * less one newline at the end of a file.
 *
 * @throws a plain Error that names the variable or the file, never a value
 */
export async function resolveReferences(text: string, sources: ReferenceSources): Promise<Resolved> {
  const parts: string[] = [];
  const openFiles: string[] = [];
  let result = '';
  let end = 0;
  for (const match of text.matchAll(TOKEN)) {
    result += text.slice(end, match.index);
    end = match.index + match[0].length;
    if (match[1] === undefined) {
      result += '${';
      continue;
    }
    const value = await lookUp(match[1], sources, openFiles);
    parts.push(value);
    result += value;
  }
  const rest = text.slice(end);
  if (rest.includes('${'))
    throw new Error('a reference is not closed: expected }; a literal ${ is written $${');
  return { text: result + rest, parts, openFiles };
}

async function lookUp(reference: string, sources: ReferenceSources, openFiles: string[]): Promise<string> {
  const colon = reference.indexOf(':');
  const scheme = reference.slice(0, colon);
  const name = reference.slice(colon + 1);
  // The reference itself may be a piece of a password that holds `${`: it is not repeated.
  if (colon < 0 || (scheme !== 'env' && scheme !== 'file') || name === '') {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: this is the syntax that the message names
    throw new Error('expected ${env:NAME} or ${file:PATH}; a literal ${ is written $${');
  }
  if (scheme === 'env') {
    const value = sources.env[name];
    if (value === undefined) throw new Error(`the environment variable ${name} is not set`);
    if (value === '') throw new Error(`the environment variable ${name} is empty`);
    return value;
  }
  const path = resolve(sources.baseDirectory, name);
  const { text, mode } = await readText(path).catch((error: Error) => {
    throw new Error(`the file ${path} ${error.message}`, { cause: error });
  });
  if (text.trim() === '') throw new Error(`the file ${path} is empty`);
  if ((mode & 0o004) !== 0) openFiles.push(path);
  return text.replace(/\r?\n$/, '');
}
