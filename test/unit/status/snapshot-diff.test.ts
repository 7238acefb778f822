import { describe, expect, it } from 'vitest';
import { diffTables } from '../../../src/status/snapshot-diff.ts';

const ALL = { limit: 100, values: true };
const NAMES = { limit: 100, values: false };
const id = (n: number) => `00000000-0000-4000-8000-00000000000${n}`;

describe('a diff of two documents', () => {
  it('names what was added, removed and changed, and the fields', () => {
    const from = {
      _format_version: '3.0',
      services: [
        { id: id(1), name: 'a', host: 'one', port: 80, updated_at: 1 },
        { id: id(2), name: 'b', host: 'two' },
      ],
    };
    const to = {
      _format_version: '3.0',
      services: [
        { updated_at: 2, port: 8080, id: id(1), name: 'a', host: 'one' },
        { id: id(3), name: 'c', host: 'three' },
      ],
    };
    const { changes, ...counts } = diffTables(from, to, ALL);
    expect(counts).toEqual({ added: 1, removed: 1, changed: 1 });
    expect(changes).toEqual([
      {
        change: 'changed',
        collection: 'services',
        id: id(1),
        name: '"a"',
        fields: [{ path: 'port', from: '80', to: '8080' }],
        moreFields: 0,
      },
      { change: 'added', collection: 'services', id: id(3), name: '"c"', fields: [], moreFields: 0 },
      { change: 'removed', collection: 'services', id: id(2), name: '"b"', fields: [], moreFields: 0 },
    ]);
  });

  it('finds nothing in another order of members, entities, or an empty list written as {}', () => {
    const from = { services: [{ id: id(1), tags: {}, a: { b: 1, c: 2 } }, { id: id(2) }], routes: {} };
    const to = { routes: [], services: [{ id: id(2) }, { a: { c: 2, b: 1 }, tags: [], id: id(1) }] };
    expect(diffTables(from, to, ALL)).toEqual({ added: 0, removed: 0, changed: 0, changes: [] });
  });

  it('shows no values unless asked', () => {
    const from = { services: [{ id: id(1), host: 'one' }] };
    const to = { services: [{ id: id(1), host: 'two' }] };
    expect(diffTables(from, to, NAMES).changes[0]?.fields).toEqual([{ path: 'host' }]);
  });

  it.each(['hunter2', 'a\u001b[2J', '', `${id(1)}\n`])('shows no id that is none: %j', (strange) => {
    const { changes } = diffTables({}, { services: [{ id: strange }] }, ALL);
    expect(changes).toMatchObject([{ change: 'added', id: '***' }]);
  });

  it('is bounded, and says how many there are', () => {
    const services = Array.from({ length: 500 }, (_, n) => ({ id: `s${n}` }));
    const { added, changes } = diffTables({}, { services }, { limit: 3, values: false });
    expect([added, changes.length]).toEqual([500, 3]);
    const wide = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`f${n}`, n]));
    const diff = diffTables({ routes: [{ id: id(1) }] }, { routes: [{ id: id(1), ...wide }] }, NAMES);
    expect([diff.changes[0]?.fields.length, diff.changes[0]?.moreFields]).toEqual([20, 30]);
  });

  it('is not led astray by __proto__ or a collection that is no list', () => {
    const to = JSON.parse(
      '{"__proto__": [{"id": "x"}], "services": "text", "routes": [null, 1, []]}',
    ) as object;
    const diff = diffTables({}, to as Record<string, unknown>, ALL);
    expect(diff.added).toBe(3);
    expect(({} as Record<string, unknown>)['id']).toBeUndefined();
  });
});

describe('a secret is never shown, whatever was asked for', () => {
  const SECRET = 's3cret-Value';
  it.each<[string, string, Record<string, unknown>]>([
    ['a key', 'keyauth_credentials', { key: SECRET }],
    ['a password', 'basicauth_credentials', { username: SECRET, password: SECRET }],
    ['a JWT secret', 'jwt_secrets', { key: SECRET, secret: SECRET, rsa_public_key: SECRET }],
    ['an HMAC secret', 'hmacauth_credentials', { username: SECRET, secret: SECRET }],
    ['OAuth', 'oauth2_credentials', { name: SECRET, client_id: SECRET, client_secret: SECRET }],
    ['a certificate', 'certificates', { cert: SECRET, key: SECRET, key_alt: SECRET }],
    ['a key of a set', 'keys', { name: SECRET, jwk: SECRET, pem: { private_key: SECRET } }],
    ['a vault', 'vaults', { name: SECRET, prefix: SECRET, config: { path: SECRET } }],
    ['a plugin', 'plugins', { config: { password: SECRET, redis: { username: SECRET }, list: [SECRET] } }],
    [
      'a header that a plugin adds',
      'plugins',
      { config: { add: { headers: [`Authorization: ${SECRET}`] } } },
    ],
    [
      'a plugin whose members are data',
      'plugins',
      { config: { map: { [`${SECRET}-1234567890abcdef`]: 1 } } },
    ],
    ['a collection of another plugin', 'gateway_things', { anything: SECRET, nested: { deep: SECRET } }],
    ['credentials in an address', 'services', { host: `https://user:${SECRET}@host` }],
    ['a header of a route', 'routes', { headers: { 'x-token': SECRET } }],
    ['a long value', 'services', { path: `/${SECRET}${'a1'.repeat(20)}` }],
  ])('%s', (_what, collection, entity) => {
    const from = { [collection]: [{ id: id(1) }] };
    const to = { [collection]: [{ id: id(1), ...entity }] };
    for (const [a, b] of [
      [from, to],
      [to, from],
      [{}, to],
    ] as const) {
      const text = JSON.stringify(diffTables(a, b, ALL));
      expect(text).not.toContain(SECRET);
      expect(text).toMatch(/"(changed|added)":1/);
    }
  });

  it('numbers, switches and references of a plugin are', () => {
    const plugin = (minute: number, enabled: boolean, n: number) => ({
      plugins: [{ id: id(1), name: 'rate-limiting', enabled, service: { id: id(n) }, config: { minute } }],
    });
    expect(diffTables(plugin(5, true, 2), plugin(10, false, 3), ALL).changes[0]).toMatchObject({
      name: '"rate-limiting"',
      fields: [
        { path: 'config.minute', from: '5', to: '10' },
        { path: 'enabled', from: 'true', to: 'false' },
        { path: 'service.id', from: id(2), to: id(3) },
      ],
    });
  });
});
