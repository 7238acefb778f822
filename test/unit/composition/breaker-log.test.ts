import { expect, it } from 'vitest';
import { breakerLog } from '../../../src/composition/common-parts.ts';

it('a store that is away for an hour is two lines, however often it is tried', () => {
  const lines: string[] = [];
  const line = (level: string) => (fields: object) =>
    void lines.push(`${level} ${(fields as { state: string }).state}`);
  const log = { debug: () => {}, info: line('info'), warn: line('warn'), error: line('error') };
  const changed = breakerLog(log, 's3');
  changed('open');
  for (let tries = 0; tries < 300; tries++) {
    changed('half-open');
    changed('open');
  }
  changed('half-open');
  changed('closed');
  changed('open');
  expect(lines).toEqual(['warn open', 'info closed', 'warn open']);
});
