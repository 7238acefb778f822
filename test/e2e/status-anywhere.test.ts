// `status` needs the stores and public keys: no certificate, no key that opens a snapshot, no target.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { documentNumber, exported } from './exported.ts';
import type { Site } from './site.ts';

let site: Site;

beforeEach(async () => {
  site = await exported({}, [documentNumber(1)]);
});

afterEach(() => site.remove());

it('status works on a machine that holds no secret', async () => {
  for (const secret of ['cluster.crt', 'cluster.key', 'encryption.key', 'head.key']) {
    rmSync(join(site.directory, secret));
  }
  site.configure({ bootstrap: {} });
  const result = await site.run(['status', '--json']);
  expect(result.stderr).toBe('');
  expect(JSON.stringify(result.json())).toContain('"authenticated":true');
});

it('status of a store without a head is failed', async () => {
  rmSync(site.store, { recursive: true });
  const result = await site.run(['status']);
  expect(result.code, result.stdout + result.stderr).toBe(22);
});
