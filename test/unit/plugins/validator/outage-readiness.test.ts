import { describe, expect, it } from 'vitest';
import outageReadiness from '../../../../plugins/validator/outage-readiness/index.ts';
import { id, issuesOf, judge } from './judge.ts';

const find = (table: object) => judge(outageReadiness, table);
const plugin = (name: string, config: unknown, more: object = {}) => ({
  plugins: [{ id: id(1), name, config, ...more }],
});

describe('plugins that need what is away', () => {
  it.each([
    ['rate-limiting', { policy: 'cluster' }, 'counters', 'config.policy'],
    ['response-ratelimiting', { policy: 'cluster' }, 'counters', 'config.policy'],
    ['rate-limiting-advanced', { strategy: 'cluster' }, 'counters', 'config.strategy'],
    ['oauth2', { scopes: null }, 'oauth2', 'name'],
    ['oauth2', null, 'oauth2', 'name'],
    ['acme', { storage: 'kong' }, 'acme', 'config.storage'],
    ['acme', { storage: 'shm' }, 'acme', 'config.storage'],
    ['session', { storage: 'kong' }, 'session', 'config.storage'],
  ])('%s with %j', async (name, config, code, field) => {
    expect(await find(plugin(name, config))).toEqual([
      {
        code: `outage-readiness/${code}`,
        severity: 'warning',
        message: expect.stringMatching(`^plugins ${id(1)} \\(${name}\\) `),
        hint: expect.stringMatching(/.{20}/),
        path: ['plugins', id(1), field],
      },
    ]);
  });

  it.each([
    ['rate-limiting', { policy: 'redis' }],
    ['rate-limiting', { policy: 'local' }],
    ['rate-limiting', null],
    ['rate-limiting', { policy: ['cluster'] }],
    ['acme', { storage: 'redis' }],
    ['session', { storage: 'cookie' }],
    ['constructor', { policy: 'cluster' }],
    ['key-auth', {}],
  ])('not %s with %j', async (name, config) => {
    expect(await find(plugin(name, config))).toEqual([]);
  });

  it('not one that is switched off', async () => {
    expect(await find(plugin('oauth2', {}, { enabled: false }))).toEqual([]);
  });

  it('a thousand alike hide no other', async () => {
    const limited = Array.from({ length: 1000 }, (_, at) => ({
      id: id(at),
      name: 'rate-limiting',
      config: { policy: 'cluster' },
    }));
    const found = await find({ plugins: [...limited, { id: id(5000), name: 'oauth2', config: {} }] });
    expect(found).toHaveLength(32);
    expect(found[30]).toEqual({
      code: 'outage-readiness/counters',
      severity: 'warning',
      message: 'and 970 more like these',
    });
    expect(found[31]?.code).toBe('outage-readiness/oauth2');
  });
});

describe('references to vaults', () => {
  const table = (reference: string, vaults: object[] = []) => ({
    vaults,
    ...plugin('openid-connect', { session: { secrets: ['a', reference] } }),
  });

  it('that nobody configured', async () => {
    expect(await find(table('{vault://mine/redis/password}'))).toEqual([
      {
        code: 'outage-readiness/vault-unknown',
        severity: 'warning',
        message: `plugins ${id(1)} (openid-connect) refers to vault 'mine', which is not configured`,
        hint: expect.stringContaining('prefix'),
        path: ['plugins', id(1), 'config.1'],
      },
    ]);
  });

  it.each([
    ['of Kong itself', '{vault://hcv/redis}', [], 'hcv'],
    ['by its prefix', '{vault://ours/redis}', [{ prefix: 'ours', name: 'aws', config: {} }], 'ours'],
  ])('that are elsewhere, once for all: %s', async (_what, reference, vaults, name) => {
    const certificates = [{ id: id(2), cert: reference, key: reference }];
    expect(await find({ ...table(reference, vaults), certificates })).toMatchObject([
      {
        code: 'outage-readiness/vault-remote',
        message: expect.stringMatching(`^3 references need vault '${name}'`),
        path: ['vaults', name],
      },
    ]);
  });

  it.each([
    ['the environment', '{vault://env/secret}', []],
    ['the environment by a prefix', '{vault://my-env/x?a=b}', [{ prefix: 'my-env', name: 'env' }]],
    ['text around it', 'see {vault://mine/x}', []],
    ['no vault at all', '{vault://}', []],
    ['a brace that never closes', `{vault://${'a'.repeat(100_000)}`, []],
  ])('not %s', async (_what, reference, vaults) => {
    expect(await find(table(reference, vaults))).toEqual([]);
  });

  it('a hundred thousand in one entity take no longer than there are', { timeout: 2000 }, async () => {
    const secrets = Array.from({ length: 100_000 }, () => '{vault://hcv/redis}');
    expect(await find(plugin('openid-connect', { session: { secrets } }))).toMatchObject([
      { message: expect.stringMatching('^100000 references need') },
    ]);
  });

  it('never show a name that could be a secret', async () => {
    const found = await find(table('{vault://hunter 2/x}'));
    expect(found).toMatchObject([{ message: expect.stringContaining('refers to a vault, which') }]);
    expect(JSON.stringify(found)).not.toContain('hunter');
  });
});

it('has no settings', async () => {
  expect(await issuesOf(outageReadiness, { a: 1 })).toEqual(['a: outage-readiness has no settings']);
});
