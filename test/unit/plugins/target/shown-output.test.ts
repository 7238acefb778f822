import { describe, expect, it } from 'vitest';
import { shownOutput as ofTarget } from '../../../../plugins/target/command/shown-output.ts';
import { shownOutput as ofValidator } from '../../../../plugins/validator/command/shown-output.ts';

const BODY = 'MC4CAQAwBQYDK2VwBCIEIHF+mcHSshyVouUL14sb8H91UoG2o3jM2wKkGZOWjCHg';
const PEM = `-----BEGIN PRIVATE KEY-----\n${BODY}\n-----END PRIVATE KEY-----\n`;

describe.each([
  ['target', ofTarget],
  ['validator', (text: string) => ofValidator(text, 10_000)],
])('what a command of a %s said', (_, shown) => {
  it.each([
    ['a key', `the key is ${PEM}there`, 'the key is *** there'],
    ['one whose end is missing', `the key is ${PEM.slice(0, 80)}`, 'the key is ***'],
    ['one whose beginning is not kept', `${PEM.slice(40)}and more`, '*** and more'],
    ['one whose beginning is not kept, before a whole one', `${PEM.slice(40)}${PEM}`, '*** ***'],
    ['one as JSON writes it', JSON.stringify({ key: PEM }), '{"key":"***\\n"}'],
    ['one as JSON writes it, cut', JSON.stringify(PEM).slice(45), '***\\n"'],
  ])('%s is cut out', (_what, said, left) => {
    expect(shown(said)).toBe(left);
    expect(shown(said)).not.toContain(BODY.slice(20, 40));
  });

  it('is one line that says what it says', () => {
    expect(shown('one\r\n\u001b[2Jtwo\u2028\u202ethree\u0000')).toBe('one [2Jtwo three');
  });
});
