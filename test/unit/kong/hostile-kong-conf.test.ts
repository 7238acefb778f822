import { expect, it } from 'vitest';
import { parseKongConf } from '../../../src/kong/kong-conf.ts';

const LENGTH = 1_000_000;

it.each([
  ['comments in one line that ends oddly', `a = ${'#'.repeat(LENGTH)}\u2028`],
  ['comments and a carriage return', `a = ${'#'.repeat(LENGTH)}\rb`],
  ['backslashes', `a = ${'\\ '.repeat(LENGTH / 2)}x`],
  ['continued lines', `a = ${'\\\n'.repeat(LENGTH / 2)}x`],
  ['quotes', `a = ${'"\''.repeat(LENGTH / 2)}`],
  ['spaces', `a${' '.repeat(LENGTH)}`],
  ['names', 'a.b-c=1\n'.repeat(LENGTH / 8)],
])('a megabyte of %s is read in a moment', (_, text) => {
  const before = process.cpuUsage();
  parseKongConf(text);
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1000).toBeLessThan(2000);
});

it('a comment ends with its line, and with nothing before', () => {
  expect(parseKongConf('a = 1 # x\u2028 y\nb = 2').entries.get('a')?.value).toBe('1');
  expect(parseKongConf('a = 1 # x\u2028 y\nb = 2').entries.get('b')?.value).toBe('2');
});
