import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readSettingsFile } from '../../../src/config/settings-file.ts';

const PLANTED = 'p1anted-in-a-file';

let warned: ReturnType<typeof vi.spyOn>;
beforeEach(() => {
  warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
});
afterEach(() => {
  warned.mockRestore();
});

describe('a name that is a list or a section is refused, and not a word of the file is said', () => {
  it.each([
    ['a template that nobody filled in', `password: {{ ${PLANTED} }}`],
    ['a template in a list', `keys: [ {{ ${PLANTED} }} ]`],
    ['a list', `? [ ${PLANTED} ]\n: 1`],
    ['a section', `? { a: ${PLANTED} }\n: 1`],
    ['binary data', `!!binary ${Buffer.from(PLANTED).toString('base64')}: 1`],
    ['an alias of a section', `a: &a { b: ${PLANTED} }\n*a : 1`],
  ])('%s', (_, text) => {
    const read = () => readSettingsFile('.kongfallbackrc', text);
    expect(read).toThrow(expect.objectContaining({ kind: 'invalid', code: 'KF_SETTINGS_SYNTAX' }));
    expect(read).toThrow(/^\.kongfallbackrc:\d+:\d+: a list, a section or binary data in place of a name/);
    expect(read).not.toThrow(PLANTED);
    expect(warned).not.toHaveBeenCalled();
  });
});

it('names in quotes, numbers and aliases of words are names', () => {
  const { assignments } = readSettingsFile('.kongfallbackrc', 'a: &a word\n"b c": 1\n3: 2\n*a : 4\n');
  expect(assignments.map(({ path }) => path.join('.'))).toEqual(['3', 'a', 'b c', 'word']);
  expect(warned).not.toHaveBeenCalled();
});
