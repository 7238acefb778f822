import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseKongConf } from '../../../src/kong/kong-conf.ts';

const values = (text: string): Record<string, string> =>
  Object.fromEntries([...parseKongConf(text).entries].map(([name, { value }]) => [name, value]));

describe('odd text', () => {
  test('lines that are neither comment nor setting are named', () => {
    const { entries, strayLines } = parseKongConf(
      'a = 1\ncluster_fallback_config on\n[section]\n= 5\n\nb = 2',
    );
    expect(strayLines).toEqual([2, 3, 4]);
    expect([...entries.keys()]).toEqual(['a', 'b']);
  });

  test('nothing at all, comments alone, a continuation of nothing', () => {
    expect(values('')).toEqual({});
    expect(values('# a = 1\n  ; b = 2\n')).toEqual({});
    expect(values('a = 1 \\')).toEqual({ a: '1' });
    expect(values('\\\n\\\n')).toEqual({});
  });

  test('any text is read without throwing, in time that is not worse than linear by much', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
        const { entries, strayLines } = parseKongConf(text);
        expect(entries.size + strayLines.length).toBeLessThanOrEqual(text.split('\n').length);
      }),
      { numRuns: 500 },
    );
    for (const unit of ['\\', '\\#', '=', 'a', '"', ' ', 'a=\\\n', '\\\n', '# '])
      parseKongConf(unit.repeat(1_048_576 / unit.length));
  });

  test('names that objects have', () => {
    expect([...parseKongConf('__proto__ = 1\nconstructor = 2').entries.keys()]).toEqual([
      '__proto__',
      'constructor',
    ]);
  });
});

test.each([
  ['spaces around name and value', '  name   =   a b  ', 'a b'],
  ['a comment behind the value', 'name = a # b', 'a'],
  ['a comment close to the value', 'name = a#b', 'a'],
  ['an escaped #', 'name = a\\#b # c', 'a#b'],
  ['double quotes', 'name = "a b"', 'a b'],
  ['single quotes', "name = 'a b'", 'a b'],
  ['quotes that do not match', `name = "a'`, `"a'`],
  ['quotes inside', 'name = a "b" c', 'a "b" c'],
  ['an equals sign in the value', 'name = a=b', 'a=b'],
  ['a colon', 'name: https://host:1/b', 'https://host:1/b'],
  ['a colon in the value', 'name = a:b', 'a:b'],
  ['nothing behind the sign', 'name =', ''],
  ['an escaped end of line', 'name = a, \\\n  b', 'a,   b'],
  ['a comment between continued lines', 'name = a, \\\n# no\n  b', 'a,   b'],
  ['Windows line ends', 'name = a\r\n', 'a'],
  ['a byte order mark', '\uFEFFname = a', 'a'],
  ['JSON', 'name = {"a": "b"}', '{"a": "b"}'],
])('%s', (_, text, value) => {
  expect(values(text)).toEqual({ name: value });
});

test('of equal names the last counts; dashes and dots are underscores, as for Kong', () => {
  const { entries } = parseKongConf('cluster-cert = a\nother = x\ncluster.cert: b');
  expect(entries.get('cluster_cert')).toEqual({ value: 'b', line: 3, separator: ':', repeats: 1 });
});

test('a continued value has the line it begins on', () => {
  expect(parseKongConf('\n# c\na = 1 \\\n2\nb = 3').entries).toEqual(
    new Map([
      ['a', { value: '1 2', line: 3, separator: '=' }],
      ['b', { value: '3', line: 5, separator: '=' }],
    ]),
  );
});
