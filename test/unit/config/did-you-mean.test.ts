import fc from 'fast-check';
import { expect, test } from 'vitest';
import { didYouMean } from '../../../src/config/did-you-mean.ts';

const names = ['delaySeconds', 'keep', 'last', 'storages', 'use', 'id'];

test.each([
  ['delaySecond', 'delaySeconds'],
  ['delySecnods', 'delaySeconds'],
  ['dealySeconds', 'delaySeconds'],
  ['delaysecondz', 'delaySeconds'],
  ['storage', 'storages'],
  ['kepe', 'keep'],
  ['lost', 'last'],
  ['uses', 'use'],
])('%s was meant to be %s', (written, meant) => {
  expect(didYouMean(written, names)).toBe(meant);
});

test.each(['delySecnodz', 'kpee', 'xyz', '', 'x'.repeat(1_000_000)])('nothing is near %.20s', (written) => {
  expect(didYouMean(written, names)).toBeUndefined();
});

test('one edit of a long name is always recognised', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 11 }), fc.constantFrom('q', ''), (at, letter) => {
      const written = `delaySeconds`.slice(0, at) + letter + `delaySeconds`.slice(at + 1);
      expect(didYouMean(written, names)).toBe('delaySeconds');
    }),
  );
});
