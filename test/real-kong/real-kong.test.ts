// The promises against a real Kong with a real database, where KONG_BIN and PGDATABASE name them.
import { describe, it } from 'vitest';
import { kongInstallation } from './environment.ts';
import { scenarios } from './scenarios.ts';

const found = kongInstallation(process.env);

if (typeof found === 'string') {
  console.log(found);
  it('a real Kong', ({ skip }) => skip(found));
} else {
  describe('a real Kong', () => scenarios(async () => found));
}
