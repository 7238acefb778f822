import { describe, expect, test } from 'vitest';
import { readSettingsFile } from '../../../src/config/settings-file.ts';

const read = (text: string) => readSettingsFile('a.yaml', text);
const values = (text: string) =>
  Object.fromEntries(read(text).assignments.map(({ path, value }) => [path.join('.'), value]));

const bomb = (levels: number) =>
  ['a0: &a0 [x, x, x, x, x, x, x, x, x]']
    .concat(
      Array.from(
        { length: levels },
        (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(', ')}]`,
      ),
    )
    .join('\n');

describe('refused, with the place', () => {
  test.each([
    ['a syntax error', 'cluster: x\nexport: {', /^a\.yaml:2:1\d: /],
    ['a duplicate key', 'cluster: x\nlog: {}\ncluster: y', /^a\.yaml:3:1: Map keys must be unique/],
    ['a duplicate key in JSON', '{"log": {"level": "info", "level": "debug"}}', /^a\.yaml:1:27: /],
    ['two documents', 'cluster: x\n---\ncluster: y', /^a\.yaml:2:1: /],
    ['an unknown tag', 'cluster: !!js/function "x"', /^a\.yaml:1:10: an unknown tag/],
    ['a tab', 'export:\n\tdelaySeconds: 1', /^a\.yaml:2:1: Tabs/],
    ['a bomb of aliases', bomb(9), /^a\.yaml: cannot be read: Excessive alias count/],
    ['an alias of itself', 'a: &a [*a]', /^a\.yaml.*(Unresolved alias|cannot be read|deeper)/s],
    ['an unknown alias', 'a: *nowhere', /^a\.yaml:1:4: an alias of nothing/],
    ['deep lists', `a: ${'['.repeat(50_000)}`, /^a\.yaml:1:68: nested deeper than 64 levels/],
    ['deep lists that are closed', `a: ${'['.repeat(9000)}${']'.repeat(9000)}`, /nested deeper/],
    ['deep objects', `a: ${'{a: '.repeat(9000)}`, /nested deeper/],
    ['deep lists one after another', `${'- '.repeat(9000)}x`, /nested deeper/],
    ['deep keys', `${'? '.repeat(9000)}x`, /nested deeper/],
    [
      'deep by indentation',
      Array.from({ length: 900 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
      /nested deeper/,
    ],
    ['more values than there can be', `a: [${'1,'.repeat(30_000)}]`, /holds more than 3000 values/],
    [
      'more keys than there can be',
      Array.from({ length: 100_000 }, (_, i) => `k${i}:`).join('\n'),
      /more than 3000/,
    ],
    ['a list', '- cluster', /expected settings as/],
    ['a sentence', 'please', /expected settings as/],
  ])('%s', (_, text, message) => {
    expect(() => read(text)).toThrow(
      expect.objectContaining({ code: 'KF_SETTINGS_SYNTAX', kind: 'invalid' }),
    );
    expect(() => read(text)).toThrow(message);
  });
});

test.each([
  '*hunter2x',
  '!hunter2x',
  '&hunter2x',
  '"hunter2x" hunter2x',
  '| hunter2x',
  '"\\hunter2x"',
  '@hunter2x',
  '%hunter2x',
])('an unquoted password does not get into the message: %s', (value) => {
  let message = '';
  try {
    read(`cluster: x\ntoken: ${value}\n`);
  } catch (error) {
    message = `${(error as Error).message}${String((error as Error).cause)}${(error as { hint?: string }).hint}`;
  }
  expect(message).toMatch(/^a\.yaml:2:\d+: /);
  expect(message).not.toContain('hunter');
});

test('JSON with tabs is read', () => {
  expect(values('{\n\t"cluster": "x",\n\t"gatewayVersions": ["3.9.1"]\n}')).toEqual({
    cluster: 'x',
    'gatewayVersions.0': '3.9.1',
  });
});

test('an empty section says nothing, an empty list is a value', () => {
  expect(values('export:\nlog:\n  # level: debug\nvalidators: []')).toEqual({ validators: [] });
});

test('an alias within the bounds is its value', () => {
  expect(values('a: &k { path: x }\nb: *k')).toEqual({ 'a.path': 'x', 'b.path': 'x' });
});

test('line and column of a key, of a list item, through an alias', () => {
  const { locate, assignments } = read(
    'cluster: x\nstorages:\n  - use: file\n    path: y\nb: &k { q: 1 }\nc: *k\n',
  );
  expect(locate(['storages', 0, 'path'])).toEqual({ line: 4, column: 5 });
  expect(locate(['storages', 0])).toEqual({ line: 3, column: 5 });
  expect(locate(['c', 'q'])).toEqual({ line: 5, column: 9 });
  expect(locate(['nowhere'])).toBeUndefined();
  expect(assignments[0]?.origin).toEqual({ kind: 'file', path: 'a.yaml', line: 1, column: 1 });
});

test('__proto__ in a file changes nothing and is reported as a path', () => {
  const { assignments } = read('__proto__: { polluted: yes }');
  expect(assignments.map(({ path }) => path)).toEqual([['__proto__', 'polluted']]);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});
