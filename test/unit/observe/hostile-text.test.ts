// What others call themselves, in a log and on a terminal.
import { describe, expect, it } from 'vitest';
import { main } from '../../../src/cli.ts';
import { renderError } from '../../../src/commands/render-error.ts';
import { FallbackError } from '../../../src/errors/index.ts';
import { createLogger, printable } from '../../../src/observe/index.ts';

const HOSTILE =
  'a\r\n{"level":"info","message":"forged"}\n\u001b[2J\u009b31m\u0007\u2028\u202egnp.\u2066\u007f\u0000b';
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
const UNWANTED = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

describe.each(['json', 'text'] as const)('a log in %s', (format) => {
  it('is one line for one event, without a character that a terminal obeys', () => {
    const lines: string[] = [];
    const log = createLogger({
      level: 'debug',
      format,
      redact: (text) => text,
      write: (line) => lines.push(line),
    });
    log.warn(
      { event: 'relay.data-plane-refused', hostname: HOSTILE, [HOSTILE]: 1, list: [HOSTILE] },
      HOSTILE,
    );
    expect(lines).toHaveLength(1);
    const [line = ''] = lines;
    expect(line.indexOf('\n')).toBe(line.length - 1);
    expect(line).not.toMatch(UNWANTED);
    if (format === 'json')
      expect(JSON.parse(line)).toMatchObject({ hostname: HOSTILE, message: HOSTILE, list: [HOSTILE] });
  });
});

it('an error keeps its lines, and nothing else that a terminal obeys', () => {
  const error = new FallbackError('invalid', 'KF_USAGE', `two\nlines ${HOSTILE}`, { hint: HOSTILE });
  expect(renderError(error)).not.toMatch(UNWANTED);
  expect(renderError(error).split('\n').length).toBeLessThan(8);
});

it('JSON stays the same JSON', () => {
  const value = { [HOSTILE]: [HOSTILE] };
  expect(printable(JSON.stringify(value))).not.toMatch(UNWANTED);
  expect(JSON.parse(printable(JSON.stringify(value)))).toEqual(value);
});

it('a command line that holds such characters is answered without them', async () => {
  const said: string[] = [];
  const io = {
    stdout: (text: string) => said.push(text),
    stderr: (text: string) => said.push(text),
    env: {},
    cwd: '/',
  };
  expect(await main([HOSTILE], io)).toBe(2);
  expect(await main(['show', HOSTILE, `--${HOSTILE}`], io)).toBe(2);
  expect(said.join('')).not.toMatch(UNWANTED);
});
