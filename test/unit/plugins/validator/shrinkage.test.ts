import type { ValidationContext } from 'kongfallback/plugin';
import { describe, expect, it } from 'vitest';
import shrinkage from '../../../../plugins/validator/shrinkage/index.ts';
import { pluginContext } from '../../../../src/testing/plugin-context.ts';

type Counts = Record<string, number>;

async function check(counts: Counts, before?: Counts, settings: object = {}) {
  const checked = await shrinkage.settings['~standard'].validate(settings);
  if (checked.issues !== undefined) throw new Error(JSON.stringify(checked.issues));
  const validator = await shrinkage.create(checked.value, pluginContext());
  const context: ValidationContext = {
    cluster: 'c',
    gatewayVersion: '3.9.3',
    fromControlPlane: true,
    counts,
    now: 0,
    ...(before && { previous: { counts: before, configHash: null } }),
  };
  return validator.validate({ bytes: new Uint8Array(), table: {} }, context, {
    signal: new AbortController().signal,
  });
}

const fresh = { workspaces: 1, parameters: 1 };

describe('an empty configuration', () => {
  it.each([
    ['a fresh database', fresh],
    ['nothing at all', {}],
    ['collections without entities', { ...fresh, services: 0, routes: 0 }],
  ])('is refused, even as the first one: %s', async (_name, counts) => {
    expect(await check(counts)).toMatchObject([
      {
        code: 'shrinkage/empty',
        severity: 'error',
        acceptable: true,
        hint: expect.stringContaining('--accept-shrinkage'),
      },
    ]);
    expect(await check(counts, { services: 500 })).toMatchObject([{ code: 'shrinkage/empty' }]);
  });

  it('is not one with a single service', async () => {
    expect(await check({ ...fresh, services: 1 })).toEqual([]);
  });
});

describe('a collection that shrank', () => {
  it('is refused by name, with both numbers', async () => {
    const findings = await check({ services: 100, routes: 9 }, { services: 100, routes: 20 });
    expect(findings).toMatchObject([
      {
        code: 'shrinkage/collection',
        severity: 'error',
        acceptable: true,
        path: ['routes'],
        message: 'routes went from 20 to 9 entries, more than 49 % fewer',
      },
    ]);
  });

  it('may lose exactly the share, and not one more; half is too much by default', async () => {
    const exactly = { maxShrinkPercent: 50 };
    const before = { services: 500, routes: 20 };
    expect(await check({ services: 500, routes: 10 }, before, exactly)).toEqual([]);
    expect(await check({ services: 500, routes: 9 }, before, exactly)).toHaveLength(1);
    expect(await check({ services: 500, routes: 11 }, before)).toEqual([]);
    expect(await check({ services: 500, routes: 10 }, before)).toHaveLength(1);
  });

  it('is refused when it is gone altogether', async () => {
    expect(await check({ services: 500 }, { services: 500, consumers: 20 })).toMatchObject([
      { path: ['consumers'], message: expect.stringContaining('from 20 to 0') },
    ]);
  });

  it('is not looked at below the minimum', async () => {
    expect(await check({ services: 500 }, { services: 500, consumers: 19 })).toEqual([]);
  });

  it('is not looked at when its entities expire by themselves', async () => {
    const before = { services: 500, oauth2_tokens: 90_000, acme_storage: 50, sessions: 4000 };
    expect(await check({ services: 500 }, before)).toEqual([]);
  });

  it('counts credentials, which may expire but are customers first', async () => {
    expect(await check({ services: 500 }, { services: 500, keyauth_credentials: 30 })).toHaveLength(1);
  });
});

describe('all collections together', () => {
  it('are refused when each is too small to be looked at', async () => {
    const before = Object.fromEntries(Array.from({ length: 10 }, (_, n) => [`kind${n}`, 10]));
    expect(await check({ kind0: 10 }, before)).toMatchObject([
      { code: 'shrinkage/total', message: expect.stringContaining('from 100 to 10') },
    ]);
  });

  it('may grow and change places', async () => {
    expect(await check({ services: 15, routes: 900 }, { services: 19, routes: 20 })).toEqual([]);
  });
});

describe('counts that a stranger wrote', () => {
  it.each<object>([
    { __proto__: 5, services: Number.NaN },
    { constructor: 1000 },
    { services: Number.POSITIVE_INFINITY },
    { services: -5 },
    { [`${'x'.repeat(5000)}`]: 100 },
  ])('never make it fail: %#', async (before) => {
    const findings = await check({ services: 1 }, before as Counts);
    for (const { message } of findings) expect(message.length).toBeLessThan(200);
  });

  it('takes a collection named like a method for absent', async () => {
    expect(
      await check({ services: 500 }, { services: 500, toString: 30 } as unknown as Counts),
    ).toMatchObject([{ path: ['toString'], message: expect.stringContaining('from 30 to 0') }]);
  });
});

describe('settings', () => {
  it.each([
    [{ maxShrinkPercent: 101 }, 'maxShrinkPercent'],
    [{ maxShrinkPercent: -1 }, 'maxShrinkPercent'],
    [{ maxShrinkPercent: '50' }, 'maxShrinkPercent'],
    [{ minimumEntities: 0 }, 'minimumEntities'],
    [{ minimumEntities: 1.5 }, 'minimumEntities'],
    [{ maxShrink: 5 }, 'maxShrink'],
    [{ toString: 5 }, 'toString'],
  ])('refuses %j', async (wrong, path) => {
    expect(await shrinkage.settings['~standard'].validate(wrong)).toMatchObject({
      issues: [{ path: [path] }],
    });
  });

  it('refuses what is no object', async () => {
    for (const wrong of [null, 5, 'a', []]) {
      expect(await shrinkage.settings['~standard'].validate(wrong)).toHaveProperty('issues');
    }
  });

  it('follows them', async () => {
    const before = { services: 100, routes: 10 };
    expect(await check({ services: 89, routes: 10 }, before, { maxShrinkPercent: 10 })).toMatchObject([
      { path: ['services'] },
    ]);
    expect(await check({ services: 100, routes: 1 }, before, { minimumEntities: 5 })).toMatchObject([
      { path: ['routes'] },
    ]);
    expect(await check({ services: 100 }, before, { maxShrinkPercent: 100, minimumEntities: 1 })).toEqual([]);
  });

  it('are described for editors with the defaults that hold', async () => {
    const schema = shrinkage.settings['~standard'].jsonSchema?.input({ target: 'draft-2020-12' });
    const checked = await shrinkage.settings['~standard'].validate({});
    const { properties } = schema as { properties: Record<string, { default: unknown }> };
    const defaults = Object.entries(properties).map(([name, property]) => [name, property.default]);
    expect(checked).toEqual({ value: Object.fromEntries(defaults) });
  });
});
