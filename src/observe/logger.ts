import { writeSync } from 'node:fs';
import pino from 'pino';
import type { Logger } from '../plugin/plugin.ts';

export type LogLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug';

export interface LoggerOptions {
  readonly level: LogLevel;
  /** `json`: one object per line; `text`: for a person at a terminal. */
  readonly format: 'json' | 'text';
  /** Applied to every line before it is written. */
  readonly redact: (text: string) => string;
  /** Default: standard error, written synchronously: asynchronous output lost and reordered lines at exit. */
  readonly write?: (line: string) => void;
}

export function createLogger(options: LoggerOptions): Logger {
  const write = options.write ?? ((line: string) => writeStderr(line));
  const line = options.format === 'json' ? (json: string) => json : toText;
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: 'message',
    },
    { write: (json: string) => write(printable(options.redact(line(json)))) },
  );
}

export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** A closed or full pipe must not take the process down: the work matters more than its log. */
function writeStderr(line: string): void {
  try {
    writeSync(2, line);
  } catch {}
}

/** `12:03:04 warn  message  key=value …`; control characters stay escaped, so that no input forges a line. */
function toText(json: string): string {
  const { time, level, message, ...fields } = JSON.parse(json) as Record<string, unknown>;
  const pairs = Object.entries(fields).map(([key, value]) => `${escapeControls(key)}=${plain(value)}`);
  const parts = [String(time).slice(11, 19), String(level).padEnd(5), escapeControls(String(message))];
  return `${parts.join(' ')}${pairs.length === 0 ? '' : `  ${pairs.join(' ')}`}\n`;
}

const plain = (value: unknown): string =>
  typeof value === 'string' && /^[\w.:/@-]+$/.test(value)
    ? value
    : escapeControls(JSON.stringify(value) ?? '');

/** For output of several lines, JSON included, which itself escapes only some of them; the lines stay. */
export const printable = (text: string): string => text.split('\n').map(escapeControls).join('\n');

/** As JSON may write them: what moves a cursor, ends a line, or turns the direction of what follows. */
export function escapeControls(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
