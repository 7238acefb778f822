import { describe, expect, it } from 'vitest';
import { ERROR_KINDS, EXIT_CODE_OF_KIND } from '../../src/errors/index.ts';
import { filesBelow, read, tableRows } from './repository.ts';

const README = read('src/errors/README.md');
const ROWS = tableRows(README).filter(([code]) => /^`KF_/.test(code ?? ''));
const documented = new Map(ROWS.map(([code, kind]) => [(code ?? '').replaceAll('`', ''), kind ?? '']));

const sources = [...filesBelow('src', '.ts'), ...filesBelow('plugins', '.ts')].map((path) => ({
  path,
  text: read(path),
}));

const used = new Set(
  sources.flatMap(({ text }) =>
    [...text.matchAll(/['"`](KF_[A-Z0-9_]+)['"`]/g)].map(([, code]) => code ?? ''),
  ),
);

describe('src/errors/README.md', () => {
  it('saw the code and the table', () => {
    expect(used.size).toBeGreaterThan(20);
    expect(documented.size).toBe(ROWS.length);
  });

  it('documents every code that the code uses', () => {
    expect([...used].filter((code) => !documented.has(code)).sort()).toEqual([]);
  });

  it('documents no code that nothing uses', () => {
    const made = ['STORAGE', 'ENCRYPTION', 'VALIDATOR', 'SOURCE', 'TARGET'].flatMap((plugin) =>
      ERROR_KINDS.map((kind) => `KF_${plugin}_${kind.toUpperCase()}`),
    );
    const unused = [...documented.keys()].filter((code) => !used.has(code) && !made.includes(code));
    expect(unused.sort()).toEqual([]);
  });

  it('names the kind that the code gives', () => {
    const wrong = sources.flatMap(({ path, text }) =>
      [...text.matchAll(/FallbackError\(\s*'([a-z]+)',\s*'(KF_[A-Z0-9_]+)'/g)]
        .filter(([, kind, code]) => !documented.get(code ?? '')?.includes(kind ?? ''))
        .map(([, kind, code]) => `${path}: ${code} is ${kind}, documented as ${documented.get(code ?? '')}`),
    );
    expect(wrong).toEqual([]);
  });

  it('holds the exit codes that the command line uses', () => {
    const rows = tableRows(README).filter(([kind]) => ERROR_KINDS.some((known) => kind === `\`${known}\``));
    const exitCodes = Object.fromEntries(
      rows.map((cells) => [cells[0]?.replaceAll('`', ''), Number(cells.at(-1))]),
    );
    expect(exitCodes).toEqual(EXIT_CODE_OF_KIND);
  });
});
