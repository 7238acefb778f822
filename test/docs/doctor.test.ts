// The section "Doctor" of src/observe/README.md against the code, both ways.
import { describe, expect, it } from 'vitest';
import { filesBelow, read, tableRows } from './repository.ts';

const section =
  read('src/observe/README.md')
    .split(/^## /m)
    .find((part) => part.startsWith('Doctor\n')) ?? '';
const ROWS = tableRows(section).filter(([code]) => code?.startsWith('`') === true);
const documented = new Map(ROWS.map(([code = '', severity = '']) => [code.replaceAll('`', ''), severity]));

const texts = [
  ...filesBelow('src/doctor', '.ts'),
  ...filesBelow('plugins/storage', '.ts').filter((path) => /\/(inspect|lifecycle)\.ts$/.test(path)),
].map(read);

/** Also those that are given to a function of their own. */
const used = new Set(
  texts.flatMap((text) =>
    [...text.matchAll(/\bcode: '([a-z0-9][a-z0-9/-]+)'|\('(storage-[a-z]+-fails)'/g)].map(
      ([, plain, named]) => plain ?? named ?? '',
    ),
  ),
);

describe('codes of the doctor', () => {
  it('there are some, each once', () => {
    expect(used.size).toBeGreaterThan(50);
    expect(documented.size).toBe(ROWS.length);
  });

  it('every one that is used is documented', () => {
    expect([...used].filter((code) => !documented.has(code)).sort()).toEqual([]);
  });

  it('every one that is documented is used', () => {
    expect([...documented.keys()].filter((code) => !used.has(code)).sort()).toEqual([]);
  });

  it('has a severity', () => {
    for (const [code, severity] of documented)
      expect([code, severity]).toEqual([
        code,
        expect.stringMatching(/^(ok|warning|error|error or warning)$/),
      ]);
  });
});
