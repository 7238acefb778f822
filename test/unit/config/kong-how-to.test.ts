import { describe, expect, test } from 'vitest';
import { runRoles } from '../../../src/config/index.ts';
import { folderWith } from './folder.ts';
import { CLUSTER, fixture, kongLoad, rowsOf, STORAGE, warningsOf } from './kong-load.ts';

// Kong's how-to as it stands, for a backup node and for a data plane: nothing but its lines and its variables.
const AWS = { AWS_STORAGE_ENDPOINT: 'https://minio.internal:9000/kong-fallback/production' };

const start = (conf: string, role: 'exporter' | 'node', env: Record<string, string> = AWS) =>
  kongLoad({ conf: fixture(conf), role, env: { ...CLUSTER, ...env } });

describe('the how-to', () => {
  test.each([
    ['how-to-backup-node.conf', 'exporter'],
    ['how-to-data-plane.conf', 'node'],
    ['names-backup-node.conf', 'exporter'],
    ['names-data-plane.conf', 'node'],
  ] as const)('%s is of an %s', async (name, expected) => {
    const cwd = folderWith({ 'kong.conf': fixture(name) });
    expect(await runRoles({ cwd, env: AWS, kongConf: 'kong.conf', etcDirectory: cwd })).toEqual([expected]);
  });

  test('the backup node: unsigned, unencrypted, and both are said', async () => {
    const loading = start('how-to-backup-node.conf', 'exporter');
    const { settings, entries } = await loading;
    expect(settings).toMatchObject({
      cluster: 'default',
      gatewayVersions: ['3.9.1'],
      export: { delaySeconds: 60 },
      signing: {},
    });
    expect(entries.encryption).toMatchObject([{ use: 'none' }]);
    expect(entries.storages).toMatchObject([
      {
        prefix: 'production',
        settings: { bucket: 'kong-fallback', endpoint: 'https://minio.internal:9000', forcePathStyle: true },
      },
    ]);
    expect(await warningsOf(loading)).toEqual([
      'KF_KONG_CONF_COLON',
      'KF_KONG_CONF_COLON',
      'KF_KONG_UNENCRYPTED',
      'KF_SETTINGS_UNSIGNED',
    ]);
    expect(await rowsOf(loading)).toMatchObject({
      cluster: ['default', "default with Kong's names"],
      'gatewayVersions[0]': ['3.9.1', 'kong version'],
      encryption: ['none', "default with Kong's names"],
      'export.delaySeconds': [60, "default with Kong's names"],
      'storages[0].bucket': ['kong-fallback', 'kong.conf line 2'],
    });
  });

  test('a data plane: a file and a cache under the prefix of Kong', async () => {
    const loading = start('how-to-data-plane.conf', 'node');
    const { settings, entries } = await loading;
    expect(entries.target).toMatchObject({
      use: 'file',
      settings: { path: '/usr/local/kong/kongfallback.json' },
    });
    expect(settings.bootstrap).toMatchObject({
      cacheDirectory: '/usr/local/kong/kongfallback-cache',
      kongPrefix: '/usr/local/kong',
    });
    expect(await warningsOf(loading)).toEqual(
      expect.arrayContaining(['KF_KONG_UNENCRYPTED', 'KF_SETTINGS_UNVERIFIED']),
    );
  });

  test('a data plane does not ask for the version here: its bootstrap does', async () => {
    const asked: string[] = [];
    const kongVersion = async () => {
      asked.push('kong version');
      return '3.9.1';
    };
    await kongLoad({ conf: fixture('names-data-plane.conf'), role: 'node', kongVersion });
    expect(asked).toEqual([]);
    await kongLoad({ env: { ...CLUSTER, ...STORAGE, KONGFALLBACK_GATEWAY_VERSIONS: '3.8.0' }, kongVersion });
    expect(asked).toEqual([]);
  });
});

describe("what Kong's names leave open", () => {
  const env = { ...CLUSTER, ...STORAGE };

  test('is set by KONGFALLBACK_* and flags', async () => {
    const loading = kongLoad({
      role: 'node',
      env: {
        ...env,
        KONGFALLBACK_CLUSTER: 'blue',
        KONGFALLBACK_ENCRYPTION__0__USE: 'aes-gcm',
        KONGFALLBACK_ENCRYPTION__0__KEYS__0: Buffer.alloc(32, 7).toString('base64'),
        KONGFALLBACK_BOOTSTRAP__TARGET__PATH: '/tmp/kong.json',
        KONGFALLBACK_STORAGES__1__USE: 'file',
        KONGFALLBACK_STORAGES__1__PATH: '/mnt/dr',
      },
      flags: { 'bootstrap.cacheDirectory': '/var/cache/kf' },
    });
    const { settings, entries } = await loading;
    expect(settings).toMatchObject({ cluster: 'blue', bootstrap: { cacheDirectory: '/var/cache/kf' } });
    expect(entries.encryption.map(({ use }) => use)).toEqual(['aes-gcm']);
    expect(entries.target?.settings).toMatchObject({ path: '/tmp/kong.json' });
    expect(entries.storages.map(({ use }) => use)).toEqual(['s3', 'file']);
    expect(await warningsOf(loading)).toEqual(['KF_SETTINGS_UNVERIFIED']);
  });

  test('another target, and one written as a whole, get nothing of the default one', async () => {
    const target = async (more: Record<string, string>) =>
      (await kongLoad({ role: 'node', env: { ...env, ...more } })).entries.target;
    expect(await target({ KONGFALLBACK_BOOTSTRAP__TARGET: '{"use":"file","path":"/x.json"}' })).toMatchObject(
      { settings: { path: '/x.json' } },
    );
    await expect(target({ KONGFALLBACK_BOOTSTRAP__TARGET__USE: 'file' })).rejects.toMatchObject({
      message: expect.stringContaining('bootstrap.target.path'),
    });
  });

  test('is not filled in beside a settings file', async () => {
    const files = { '.kongfallbackrc': 'gatewayVersions: ["3.9.1"]\n' };
    await expect(kongLoad({ env, files })).rejects.toMatchObject({
      message: expect.stringMatching(/cluster: is required.*encryption: is required/s),
    });
  });
});
