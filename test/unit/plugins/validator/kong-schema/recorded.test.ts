import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { check, errorsOf, fromFile, type Table } from './check.ts';

const captures = new URL('../../../../fixtures/captures/', import.meta.url);
function tableOf(path: string): Table {
  const value = JSON.parse(gunzipSync(readFileSync(new URL(path, captures))).toString());
  return value.config_table ?? value;
}

const REFUSED = [
  'older-versions/3.4.2/frame-rejected.json.gz',
  'older-versions/3.5.0/frame-rejected.json.gz',
];
const ACCEPTED: readonly [path: string, gatewayVersion: string][] = [
  ...['empty/frame-1', 'mixed/frame-1', 'mixed/frame-2', 'noping/frame-1', 'bulk15k/frame-1'].map(
    (name): [string, string] => [`control-plane/${name}.json.gz`, '3.9.3'],
  ),
  ...[1, 2, 3, 4].map((n): [string, string] => [`control-plane/delta/frame-${n}.json.gz`, '3.9.3']),
  ...['3.4.2', '3.5.0', '3.6.1', '3.7.1', '3.8.1'].map((version): [string, string] => [
    `older-versions/${version}/frame.json.gz`,
    version,
  ]),
  ...['3.6.1', '3.7.1', '3.8.1'].map((version): [string, string] => [
    `older-versions/${version}/frame-rich.json.gz`,
    version,
  ]),
];

describe('what real data planes refused', () => {
  it.each(REFUSED)('%s is refused', async (path) => {
    const gatewayVersion = path.split('/')[1] as string;
    for (const fromControlPlane of [true, false]) {
      const findings = await check(tableOf(path), { gatewayVersion, fromControlPlane });
      expect(errorsOf(findings)).toContain('kong-schema/unknown-field');
      expect(findings[0]?.message).toMatch(
        /plugins .* \(rate-limiting\) has config\.redis, which gateway 3\.[45]/,
      );
    }
  });

  it('names proxy-cache for 3.4 only, which learnt response_headers in 3.5', async () => {
    const table = tableOf(REFUSED[0] as string);
    const of = async (gatewayVersion: string) =>
      (await check(table, { gatewayVersion })).map(({ path }) => path?.at(-1));
    expect(await of('3.4.2')).toEqual(['config.redis', 'config.response_headers']);
    expect(await of('3.5.0')).toEqual(['config.redis']);
    expect(await of('3.6.1')).toEqual([]);
  });

  it('is not fooled by a field that is null, which passes over the socket', async () => {
    const table = tableOf('older-versions/3.4.2/frame.json.gz');
    const plugins = table['plugins'] as Table[];
    plugins.push({ ...plugins[0], id: crypto.randomUUID(), name: 'rate-limiting', config: { redis: null } });
    expect(await check(table, { gatewayVersion: '3.4.2' })).toEqual([]);
  });
});

describe('what real data planes accepted', () => {
  it.each(ACCEPTED)('%s for %s gives no finding', async (path, gatewayVersion) => {
    expect(await check(tableOf(path), { gatewayVersion })).toEqual([]);
  });

  it.each(ACCEPTED)(
    '%s for %s gives none from an unauthenticated store either',
    async (path, gatewayVersion) => {
      expect(await check(tableOf(path), { gatewayVersion, ...fromFile })).toEqual([]);
    },
  );

  it('the document of 10,000 entities gives none, as a file', async () => {
    expect(await check(tableOf('declarative-10k.json.gz'), fromFile)).toEqual([]);
  });
});

// test/fixtures/captures/data-plane/variants.txt: the names are those of the recording.
type Variant = (table: Table) => void;
const entities = (table: Table, name: string) => table[name] as Table[];
const applied: Record<string, Variant> = {
  nows: (t) => delete t['workspaces'],
  nowsid: (t) => {
    for (const workspace of entities(t, 'workspaces')) delete workspace['id'];
  },
  noparam: (t) => delete t['parameters'],
  stripnull: (t) => {
    for (const name of Object.keys(t).filter((key) => !key.startsWith('_'))) {
      t[name] = JSON.parse(JSON.stringify(t[name], (_key, value) => value ?? undefined));
    }
  },
  noids: (t) => {
    for (const vault of entities(t, 'vaults')) delete vault['id'];
    for (const plugin of entities(t, 'plugins')) delete plugin['id'];
  },
  minimal: (t) => {
    for (const name of Object.keys(t)) if (!name.startsWith('_') && name !== 'services') delete t[name];
    for (const service of entities(t, 'services')) service['client_certificate'] = null;
  },
  svcbyname: (t) => referTo(t, (service) => ({ name: service['name'] })),
  svcstr: (t) => referTo(t, (service) => service['name']),
};
const refused: Record<string, [Variant, code: string]> = {
  nofmt: [(t) => delete t['_format_version'], 'kong-schema/format-version'],
  fmt21: [(t) => Object.assign(t, { _format_version: '2.1' }), 'kong-schema/format-version'],
  notransform: [(t) => delete t['_transform'], 'kong-schema/transform'],
  danglingfk: [(t) => Object.assign(t, { services: [] }), 'kong-schema/dangling-reference'],
  dupname: [
    (t) => entities(t, 'services').push({ ...entities(t, 'services')[0], id: crypto.randomUUID() }),
    'kong-schema/duplicate-name',
  ],
};

function referTo(table: Table, reference: (service: Table) => unknown): void {
  const services = entities(table, 'services').filter((service) => service['name'] !== null);
  for (const route of entities(table, 'routes')) {
    const service = services.find((one) => one['id'] === route['service']);
    if (service !== undefined) route['service'] = reference(service);
  }
}

describe('variants of a recorded configuration', () => {
  it.each(Object.entries(applied))(
    '%s, which a data plane applied, gives no error',
    async (_name, change) => {
      const table = tableOf('control-plane/mixed/frame-1.json.gz');
      change(table);
      expect(errorsOf(await check(table))).toEqual([]);
    },
  );

  it.each(Object.entries(refused))(
    '%s, which a data plane refused or spoilt, is an error',
    async (_name, [change, code]) => {
      const table = tableOf('control-plane/mixed/frame-1.json.gz');
      change(table);
      expect(errorsOf(await check(table))).toContain(code);
    },
  );
});
