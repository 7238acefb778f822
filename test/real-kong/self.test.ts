// The test of these tests, where there is no Kong: what they ask of one, what they leave behind, what they say.
import { existsSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { KongDatabase } from './database.ts';
import { kongInstallation } from './environment.ts';
import { FakeInstallation } from './fake-installation.ts';
import { KongNode, kongVersion } from './kong-node.ts';
import { scenarios } from './scenarios.ts';
import { inTime, until } from './until.ts';

describe('what there is to test with', () => {
  it.each([
    [{}, /^skipped: KONG_BIN is not set/],
    [{ KONG_BIN: '' }, /^skipped: KONG_BIN is not set/],
    [{ KONG_BIN: process.execPath }, /^skipped: PGDATABASE is not set/],
  ])('%j: the reason is given', (env, reason) => {
    expect(kongInstallation(env)).toMatch(reason);
  });

  it('a KONG_BIN that cannot be run is no reason to skip', () => {
    expect(() => kongInstallation({ KONG_BIN: '/nowhere/kong', PGDATABASE: 'x' })).toThrow('/nowhere/kong');
  });

  it("nothing of the operator's own Kong reaches the test's", () => {
    const found = kongInstallation({
      KONG_BIN: process.execPath,
      KONG_DATABASE: 'off',
      KONG_PG_DATABASE: 'production',
      PGDATABASE: 'test',
      PGHOST: 'db',
      PGPASSWORD: 'secret',
      AWS_SECRET_ACCESS_KEY: 'secret',
    });
    expect(found).toMatchObject({
      postgres: {
        KONG_DATABASE: 'postgres',
        KONG_PG_HOST: 'db',
        KONG_PG_PORT: '5432',
        KONG_PG_DATABASE: 'test',
      },
    });
    expect(Object.keys((found as { base: object }).base)).toEqual(['PATH']);
  });
});

describe('with a kong that is none', () => {
  let fake: FakeInstallation;
  beforeEach(async () => {
    fake = await FakeInstallation.create();
  });
  afterEach(() => fake.remove());

  it('a database with a configuration in it is refused, and not emptied', async () => {
    const first = new KongDatabase(fake.installation());
    await first.create();
    const second = new KongDatabase(fake.installation());
    await expect(second.create()).rejects.toThrow(/kong_test.*name an empty one/);
    await second.drop();
    expect(fake.calls('migrations').map(({ args }) => args.join(' '))).toEqual([
      'migrations list',
      'migrations bootstrap',
      'migrations list',
    ]);
    await first.drop();
    expect(fake.calls('migrations reset --yes')).toHaveLength(1);
  });

  it('a database that is not there is told from one that is in use', async () => {
    fake.does('echo "connection refused"; exit 1');
    const database = new KongDatabase(fake.installation());
    await expect(database.create()).rejects.toThrow(/cannot be used.*connection refused/s);
    await database.drop();
  });

  it('a node that does not start: what it said, and the end of its log', async () => {
    const installation = fake.installation();
    fake.does('mkdir -p "$KONG_PREFIX/logs"; echo "why" >"$KONG_PREFIX/logs/error.log"; echo "no"; exit 1');
    const node = new KongNode(installation, `${fake.directory}/prefix`, {});
    await expect(node.start()).rejects.toThrow(/start -p .*prefix ended with 1\nno.*error\.log:\nwhy/s);
  });

  it('another major is refused', async () => {
    fake.does('echo 2.8.5');
    await expect(kongVersion(fake.installation())).rejects.toThrow(/no Kong 3\.x.*\n2\.8\.5/);
  });

  it('what never comes is named, with what is there and the log', async () => {
    const late = { ms: 0, log: () => 'the log' };
    await expect(until('it proxies', async () => '404', late)).rejects.toThrow(
      /not within 0 ms: it proxies; there is 404\nthe log/,
    );
    await expect(inTime('an event', new Promise(() => {}), late)).rejects.toThrow(/an event\nthe log/);
  });
});

describe('every scenario, with a kong that is none', () => {
  let fake: FakeInstallation;
  beforeAll(async () => {
    fake = await FakeInstallation.create();
  });
  afterAll(() => {
    // Each node that was started has ended, and the last scenario has emptied the database.
    const prefixes = fake.calls('start').map(({ settings }) => settings['KONG_PREFIX'] ?? '');
    const emptied = fake.calls('migrations reset').length;
    fake.remove();
    expect(prefixes.length).toBeGreaterThan(0);
    expect(prefixes.filter((prefix) => existsSync(prefix))).toEqual([]);
    expect(emptied).toBe(1);
  });

  scenarios(async () => fake.installation());

  it('nodes get what Kong documents: roles, ports of their own, certificates, one database', () => {
    const started = fake.calls('start').map(({ settings }) => settings);
    const of = (role: string) => started.filter(({ KONG_ROLE }) => KONG_ROLE === role);
    for (const settings of of('control_plane')) {
      expect(settings).toMatchObject({
        KONG_DATABASE: 'postgres',
        KONG_PROXY_LISTEN: 'off',
        KONG_PG_DATABASE: 'kong_test',
      });
      expect(settings['KONG_CLUSTER_LISTEN']).toMatch(/^127\.0\.0\.1:\d+$/);
    }
    for (const settings of of('data_plane')) {
      expect(settings).toMatchObject({ KONG_DATABASE: 'off', KONG_ADMIN_LISTEN: 'off' });
      expect(settings).not.toHaveProperty('KONG_PG_DATABASE');
      expect(settings).not.toHaveProperty('KONG_PLUGINS');
    }
    expect(of('control_plane').map(({ KONG_NGINX_WORKER_PROCESSES: workers }) => workers)).toContain('4');
    const declared = started.map(({ KONG_DECLARATIVE_CONFIG: file }) => file !== undefined);
    expect(declared.filter(Boolean)).toHaveLength(2);
  });
});
