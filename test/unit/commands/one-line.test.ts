import { expect, it } from 'vitest';
import { oneLine } from '../../../src/commands/one-line.ts';

it('a list of problems is one line of a log, and nothing in it can make another', () => {
  expect(oneLine('the settings have 2 problems:\n    a: is no setting\n    b: is required')).toBe(
    'the settings have 2 problems: a: is no setting; b: is required',
  );
  expect(oneLine('one\r\ntwo')).not.toContain('\r');
});
