import { describe, expect, it } from 'vitest';
import { check, codesOf, document, errorsOf, fromFile, id, type Table } from './check.ts';

describe('the top level', () => {
  it.each([3, 3.0, null, '', '3', '4.0x', ['3.0'], '2.2'])('refuses _format_version %j', async (version) => {
    const table = document({ _format_version: version });
    expect(errorsOf(await check(table))).toEqual(['kong-schema/format-version']);
    expect(errorsOf(await check(table, fromFile))).toEqual(['kong-schema/format-version']);
  });

  it.each(['1.1', '2.1', '3.0'])('admits _format_version %j in a file', async (version) => {
    expect(await check(document({ _format_version: version }), fromFile)).toEqual([]);
  });

  it('admits 2.1 from a control plane of that time', async () => {
    expect(await check(document({ _format_version: '2.1' }), { gatewayVersion: '2.8.4' })).toEqual([]);
  });

  it('only warns of a format that a later control plane may know', async () => {
    const findings = await check(document({ _format_version: '3.1' }));
    expect(findings).toMatchObject([{ code: 'kong-schema/format-version', severity: 'warning' }]);
    expect(errorsOf(await check(document({ _format_version: '3.1' }), fromFile))).toHaveLength(1);
  });

  it.each([true, null, 'false', 0])('refuses _transform %j from a control plane', async (transform) => {
    const findings = await check(document({ _transform: transform }));
    expect(findings).toMatchObject([
      { code: 'kong-schema/transform', severity: 'error', hint: expect.stringContaining('logins') },
    ]);
  });

  it('admits a file that leaves _transform to its default or sets it', async () => {
    const { _transform, ...without } = document();
    expect(_transform).toBe(false);
    expect(await check(without, fromFile)).toEqual([]);
    expect(await check(document({ _transform: true }), fromFile)).toEqual([]);
    expect(errorsOf(await check(document({ _transform: 'yes' }), fromFile))).toEqual([
      'kong-schema/transform',
    ]);
  });

  it('names members that only decK knows', async () => {
    const table = document({ _info: { select_tags: ['a'] }, _comment: 'fine', _ignore: [1] });
    expect(await check(table, fromFile)).toMatchObject([
      { code: 'kong-schema/unknown-member', severity: 'error', path: ['_info'] },
    ]);
    expect(await check(table)).toMatchObject([{ code: 'kong-schema/unknown-member', severity: 'warning' }]);
  });

  it('misses the default workspace of a control plane, not of a file', async () => {
    const table = document({ workspaces: [{ id: id(1), name: 'other' }] });
    expect(await check(table)).toMatchObject([
      { code: 'kong-schema/default-workspace', severity: 'warning' },
    ]);
    expect(await check(table, fromFile)).toEqual([]);
  });
});

describe('collections and entities', () => {
  it.each([5, 'text', null, true, { a: 1 }])('refuses a collection that is %j', async (value) => {
    expect(await check(document({ consumers: value }), fromFile)).toMatchObject([
      { code: 'kong-schema/not-a-collection', severity: 'error', path: ['consumers'] },
    ]);
    expect(errorsOf(await check(document({ consumers: value })))).toEqual([]);
  });

  it('reads {} as the empty array that lua-cjson means by it', async () => {
    expect(await check(document({ consumers: {}, snis: [] }), fromFile)).toEqual([]);
  });

  it.each([5, 'secret-text', null, [[]]])('refuses an entry that is %j', async (entry) => {
    const findings = await check(document({ consumers: [entry] }), fromFile);
    expect(findings).toMatchObject([{ code: 'kong-schema/not-an-entity', path: ['consumers', '#1'] }]);
    expect(JSON.stringify(findings)).not.toContain('secret-text');
  });

  it.each(['7', 'not-a-uuid', 5, id(1).replace('-', '_'), `${id(1)}0`])(
    'refuses the id %j',
    async (wrong) => {
      const findings = await check(document({ consumers: [{ id: wrong, username: 'a' }] }), fromFile);
      expect(errorsOf(findings)).toEqual(['kong-schema/id']);
      expect(findings[0]?.message).toBe('the id of entry 1 of consumers is no UUID');
    },
  );

  it('refuses an id that stands twice, also from a control plane', async () => {
    const consumers = [
      { id: id(5), username: 'a' },
      { id: id(5), username: 'b' },
    ];
    expect(errorsOf(await check(document({ consumers })))).toEqual(['kong-schema/duplicate-id']);
  });

  it('knows parameters by their key', async () => {
    const twice = [{ key: 'cluster_id' }, { key: 'cluster_id' }];
    expect(errorsOf(await check(document({ parameters: twice })))).toEqual(['kong-schema/duplicate-id']);
  });

  it('says once how many entries have nothing to derive an id from', async () => {
    const plugins = [{ name: 'acl' }, { name: 'cors' }, { name: 'key-auth', instance_name: 'one' }];
    expect(await check(document({ plugins }), fromFile)).toMatchObject([
      {
        code: 'kong-schema/no-id',
        severity: 'warning',
        message: expect.stringContaining('2 entries of plugins'),
      },
    ]);
  });

  it('lets collections pass that it does not know, whatever their keys are', async () => {
    const odd = [{ composite: 1 }, { composite: 1 }, { id: 7, service: 'nowhere' }, { id: 7 }];
    expect(await check(document({ degraphql_routes: odd }), fromFile)).toEqual([]);
  });
});

describe('references', () => {
  const cases: readonly [collection: string, field: string, target: string][] = [
    ['services', 'client_certificate', 'certificates'],
    ['routes', 'service', 'services'],
    ['snis', 'certificate', 'certificates'],
    ['upstreams', 'client_certificate', 'certificates'],
    ['targets', 'upstream', 'upstreams'],
    ['plugins', 'service', 'services'],
    ['plugins', 'route', 'routes'],
    ['plugins', 'consumer', 'consumers'],
    ['keys', 'set', 'key_sets'],
    ['filter_chains', 'route', 'routes'],
    ['acls', 'consumer', 'consumers'],
    ['keyauth_credentials', 'consumer', 'consumers'],
    ['oauth2_credentials', 'consumer', 'consumers'],
  ];

  it.each(cases)('%s.%s must name one of %s', async (collection, field, target) => {
    const entity = { id: id(99), [field]: id(77) };
    const dangling = document({ [collection]: [entity] });
    if (collection === 'services') dangling['routes'] = [];
    const findings = await check(dangling);
    expect(findings.filter(({ severity }) => severity === 'error')).toMatchObject([
      { code: 'kong-schema/dangling-reference', path: [collection, id(99), field] },
    ]);
    const there = { ...dangling, [target]: [...((dangling[target] as object[]) ?? []), { id: id(77) }] };
    expect(errorsOf(await check(there))).toEqual([]);
  });

  it.each([5, true, {}, [], { id: 'x' }, ''])('%j is no reference', async (reference) => {
    const routes = [{ id: id(20), name: 'r', service: reference }];
    expect(errorsOf(await check(document({ routes })))).toEqual(['kong-schema/dangling-reference']);
  });

  it.each([['orders'], [{ name: 'orders' }], [{ id: id(10) }], [id(10)]])(
    '%j finds its service',
    async (service) => {
      const routes = [{ id: id(20), name: 'r', service }];
      expect(await check(document({ routes }), fromFile)).toEqual([]);
    },
  );

  it('never looks for one by name where Kong has no name for it', async () => {
    const certificates = [{ id: id(5), name: 'main' }];
    const snis = [{ id: id(6), name: 'a.example', certificate: 'main' }];
    expect(errorsOf(await check(document({ certificates, snis }), fromFile))).toHaveLength(1);
  });

  it('only warns of what no open-source data plane was seen to refuse', async () => {
    const plugins = [{ id: id(30), name: 'x', consumer_group: id(31) }];
    expect(await check(document({ plugins }))).toMatchObject([
      { code: 'kong-schema/dangling-reference', severity: 'warning' },
    ]);
    expect(errorsOf(await check(document({ plugins }), fromFile))).toHaveLength(1);
  });
});

describe('names', () => {
  const two = (fields: Table, other: Table = {}) => [
    { id: id(50), ...fields },
    { id: id(51), ...fields, ...other },
  ];

  it.each([
    ['services', 'name'],
    ['routes', 'name'],
    ['upstreams', 'name'],
    ['consumers', 'username'],
    ['snis', 'name'],
    ['vaults', 'prefix'],
    ['plugins', 'instance_name'],
    ['keyauth_credentials', 'key'],
  ])('%s have a unique %s in a workspace', async (collection, field) => {
    const table = document({ routes: [], [collection]: two({ [field]: 'the-same' }) });
    const findings = await check(table);
    expect(findings).toMatchObject([
      { code: 'kong-schema/duplicate-name', severity: 'error', path: [collection, id(51), field] },
    ]);
    expect(JSON.stringify(findings)).not.toContain('the-same');
    const elsewhere = two({ [field]: 'the-same', ws_id: id(1) }, { ws_id: id(2) });
    expect(await check(document({ routes: [], [collection]: elsewhere }))).toEqual([]);
  });

  it.each([
    ['targets', { target: '10.0.0.1:80' }],
    ['plugins', { name: 'acl' }],
    ['acls', { group: 'a' }],
    ['services', { name: null }],
  ])('%s may share %j', async (collection, fields) => {
    expect(await check(document({ routes: [], [collection]: two(fields) }))).toEqual([]);
  });
});

describe('nested files', () => {
  it('finds entities inside their parents, at any depth, and their references', async () => {
    const table = {
      _format_version: '3.0',
      services: [
        {
          name: 'orders',
          url: 'http://orders.internal',
          ca_certificates: [id(3)],
          routes: [
            { name: 'orders', snis: ['a.example'], plugins: [{ id: id(40), name: 'acl', consumer: 'ann' }] },
          ],
        },
      ],
      consumers: [{ username: 'ann', keyauth_credentials: [{ id: id(41), key: 'k' }] }],
      upstreams: [{ name: 'u', targets: [{ id: id(42), target: '10.0.0.1:80' }] }],
      plugins: [{ id: id(43), name: 'cors', route: 'orders' }],
    };
    expect(await check(table, fromFile)).toEqual([]);
    table.consumers[0] = { ...table.consumers[0], username: 'bob' } as (typeof table.consumers)[0];
    const findings = await check(table, fromFile);
    expect(findings).toMatchObject([
      { code: 'kong-schema/dangling-reference', path: ['plugins', id(40), 'consumer'] },
    ]);
  });

  it('compares names of nested entities with those at the top level', async () => {
    const services = [{ id: id(10), name: 'orders', routes: [{ id: id(21), name: 'orders' }] }];
    expect(codesOf(await check(document({ services }), fromFile))).toEqual(['kong-schema/duplicate-name']);
  });
});
