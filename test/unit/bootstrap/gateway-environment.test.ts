import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { gatewayEnvironment } from '../../../src/bootstrap/gateway-environment.ts';

const folder = mkdtempSync(join(tmpdir(), 'kongfallback-environment-'));
const written = join(folder, 'kong.json');
writeFileSync(written, '{}');
afterAll(() => rmSync(folder, { recursive: true }));

const VARIABLE = 'KONG_DECLARATIVE_CONFIG';
const outcome = (declarativeConfig: string | null) => ({ declarativeConfig });

describe('the environment of a gateway', () => {
  it.each([
    ['is not there', join(folder, 'missing.json')],
    ['is relative to nobody knows what', 'kong.json'],
  ])('is without a file that %s: Kong would not start', (_, path) => {
    expect(gatewayEnvironment({ PATH: '/bin' }, outcome(path), undefined)).toEqual({ PATH: '/bin' });
    // Also where it was given: it is ours.
    expect(gatewayEnvironment({ [VARIABLE]: path }, outcome(path), undefined)).toEqual({});
  });

  it('is without the file that we would write, while the fallback is not in use', () => {
    expect(gatewayEnvironment({ [VARIABLE]: written }, outcome(null), written)).toEqual({});
    expect(gatewayEnvironment({ [VARIABLE]: written }, undefined, written)).toEqual({});
  });

  it("keeps the operator's own file", () => {
    const own = { [VARIABLE]: '/etc/kong/own.yaml' };
    expect(gatewayEnvironment(own, outcome(null), written)).toEqual(own);
    expect(gatewayEnvironment(own, undefined, undefined)).toEqual(own);
  });

  it('names the file of any target that tells of one', () => {
    const own = { [VARIABLE]: '/etc/kong/own.yaml', A: 'b' };
    expect(gatewayEnvironment(own, outcome(written), undefined)).toEqual({ [VARIABLE]: written, A: 'b' });
  });
});
