// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are what is tested
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { putObjectSettings } from '../../../src/config/kong-storage.ts';
import {
  CLUSTER,
  certificate,
  fixture,
  key,
  kongLoad,
  problemsOf,
  rowsOf,
  STORAGE,
  warningsOf,
} from './kong-load.ts';

const storageOf = async (address: string, env: Record<string, string> = {}) => {
  const { entries } = await kongLoad({
    env: { ...CLUSTER, ...env, KONG_CLUSTER_FALLBACK_CONFIG_STORAGE: address },
  });
  return entries.storages;
};

describe('refused', () => {
  test.each([
    [
      'gs://bucket/prefix',
      'gs:// needs the storage plugin gcs (Google Cloud Storage), which does not exist yet',
    ],
    ['gcs://bucket/prefix', 'gcs:// needs the storage plugin gcs'],
    ['azure://account/container', 'azure:// needs the storage plugin azure-blob'],
    ['ftp://host/x', 'ftp:// is unknown; expected s3://bucket/prefix'],
    ['kong-fallback/production', 'has no scheme; expected s3://bucket/prefix'],
    ['s3://', 'expected s3://bucket/prefix'],
    ['s3://bucket/a?b', 'expected s3://bucket/prefix'],
    ['https://minio.internal:9000', 'names no bucket'],
    ['https://minio.internal:99999/bucket', 'is no URL'],
    ['https://minio.internal/bucket?x=1', 'has a part behind ? or #'],
    [
      'https://kong.s3.eu-west-1.amazonaws.com/prefix',
      'has the bucket in the host name; write s3://bucket/prefix',
    ],
    ['$AWS_STORAGE_ENDPOINT', 'refers to the environment variable AWS_STORAGE_ENDPOINT, which is not set'],
  ])('storage %s', async (address, message) => {
    const [line, ...more] = await problemsOf(
      kongLoad({ env: { ...CLUSTER, KONG_CLUSTER_FALLBACK_CONFIG_STORAGE: address } }),
    );
    expect(line).toContain(message);
    expect(line).toMatch(/^storages.*cluster_fallback_config_storage/);
    expect(line).toContain('env KONG_CLUSTER_FALLBACK_CONFIG_STORAGE');
    expect(more).toEqual([]);
  });

  test('credentials in the address: the message does not repeat them', async () => {
    const lines = await problemsOf(
      kongLoad({
        env: { ...CLUSTER, KONG_CLUSTER_FALLBACK_CONFIG_STORAGE: 'https://AKIA:correct-horse@minio/bucket' },
      }),
    );
    expect(lines.join()).toContain('give them as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY');
    expect(lines.join()).not.toMatch(/AKIA:|correct-horse/);
  });

  test.each([
    ['{', 'is not JSON'],
    ['["a"]', 'expected a JSON object'],
    ['{"Tagging": {"a": 1}}', 'Tagging: expected text, a number, true or false'],
    ['{"SSECustomerKey": "correct-horse"}', 'cannot be read back'],
    ['{"__proto__": "x"}', 'no PutObject argument'],
    [
      JSON.stringify(Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`A${i}`, 'x']))),
      'more than 64',
    ],
  ])('PutObject arguments %s', async (text, message) => {
    const env = { ...CLUSTER, ...STORAGE, KONG_CLUSTER_FALLBACK_EXPORT_S3_CONFIG: text };
    const lines = await problemsOf(kongLoad({ env }));
    expect(lines.join()).toContain(message);
    expect(lines.join()).not.toContain('correct-horse');
  });

  test('every wrong value at once, each with its place and once only', async () => {
    const conf = `
cluster_control_plane = cp.internal
cluster_cert = {vault://hcv/kong/cert}
cluster_cert_key = {vault://env/cluster-key}
cluster_mtls = both
cluster_fallback_config_export = yes
cluster_fallback_config_export_delay = soon
cluster_fallback_config_storage = s3://bucket/..
`;
    expect(await problemsOf(kongLoad({ conf, env: { CLUSTER_KEY: ' ' } }))).toEqual([
      'cluster_fallback_config_export (kong.conf line 6): expected on or off',
      'controlPlane.certificate (kong.conf line 3): cluster_cert: refers to the vault hcv, which only Kong can read; give the value itself, a file, or {vault://env/name}; or set KONGFALLBACK_CONTROL_PLANE__CERTIFICATE, which goes over it',
      'controlPlane.key (kong.conf line 4): cluster_cert_key: refers to the environment variable CLUSTER_KEY, which is empty; or set KONGFALLBACK_CONTROL_PLANE__KEY, which goes over it',
      'controlPlane.mtls (kong.conf line 5): cluster_mtls: expected shared, pki or pki_check_cn',
      'storages[0].prefix (kong.conf line 8): expected no part that is . or ..',
      'export.delaySeconds (kong.conf line 7): expected a number, found a string',
    ]);
  });

  test('a kong.conf that is not there, is a folder, or is no text', async () => {
    const unreadable = (kongConf: string, files = {}) =>
      expect(kongLoad({ kongConf, files })).rejects.toMatchObject({
        kind: 'invalid',
        code: 'KF_KONG_CONF_UNREADABLE',
        hint: expect.stringContaining('kong start -c'),
      });
    await unreadable('missing.conf');
    await unreadable('.');
    await unreadable('binary', { binary: 'a = \0' });
    await unreadable('large', { large: '#'.repeat(1_048_577) });
  });

  test('a kong.conf that names no storage', async () => {
    const conf = 'role = data_plane\ncluster_fallback_config_import = on\n';
    expect(await problemsOf(kongLoad({ conf, role: 'node' }))).toEqual([
      'storages: is required: cluster_fallback_config_storage is not set, such as s3://bucket/prefix',
    ]);
  });

  test('a control plane that is told to import', async () => {
    const conf = 'role = control_plane\ncluster_fallback_config_import = on\n';
    expect(await problemsOf(kongLoad({ conf, env: STORAGE, role: 'node' }))).toEqual([
      'role (kong.conf line 1): expected data_plane: only a data plane takes a fallback configuration',
    ]);
  });

  test('no version: neither written nor from kong', async () => {
    const loading = kongLoad({ env: { ...CLUSTER, ...STORAGE }, kongVersion: async () => undefined });
    expect(await problemsOf(loading)).toEqual([
      expect.stringMatching(/^gatewayVersions: is required for the exporter: the exact gateway versions/),
    ]);
  });

  test('values of secrets are in no message', async () => {
    const secret = 'correct-horse-battery-staple';
    const env = { ...CLUSTER, ...STORAGE, KONG_CLUSTER_CERT_KEY: `-----BEGIN PRIVATE KEY-----\n${secret}` };
    const error = await kongLoad({ env }).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ code: 'KF_SETTINGS_INVALID' });
    expect(String((error as Error).message)).not.toContain(secret);
  });

  test('nothing of the fallback configuration is set: as without Kong', async () => {
    await expect(kongLoad({ env: { KONG_DATABASE: 'off', ...CLUSTER } })).rejects.toMatchObject({
      code: 'KF_SETTINGS_NOT_FOUND',
      hint: expect.stringContaining('--kong-conf'),
    });
  });
});

describe('warnings', () => {
  test.each([
    [
      'a misspelt name',
      'cluster_fallback_config_storrage = s3://a/b',
      'KF_KONG_NAME_UNKNOWN',
      'cluster_fallback_config_storage?',
    ],
    [
      'misspelt at the front',
      'cluster_falback_config_import = on',
      'KF_KONG_NAME_UNKNOWN',
      'cluster_fallback_config_import?',
    ],
    [
      'an unknown one',
      'cluster_fallback_colour = red',
      'KF_KONG_NAME_UNKNOWN',
      'Known are cluster_fallback_config_import,',
    ],
    ['a colon', 'cluster_cert: cluster.crt', 'KF_KONG_CONF_COLON', 'cluster_cert = …'],
    ['a name twice', 'cluster_cert = a\ncluster_cert = cluster.crt', 'KF_KONG_CONF_REPEATED', 'Remove one'],
    ['a line without a sign', 'cluster_fallback_config_import on', 'KF_KONG_CONF_LINE', 'name = value'],
    [
      'two spellings that differ',
      'cluster_fallback_config_export = on\ncluster_fallback_config_exporter = off',
      'KF_KONG_CONTRADICTION',
      'Remove cluster_fallback_config_exporter.',
    ],
  ])('%s', async (_, conf, code, hint) => {
    const { warnings } = await kongLoad({ conf, env: { ...CLUSTER, ...STORAGE } });
    const warning = warnings.find((one) => one.code === code);
    expect(warning?.message).toMatch(/kong\.conf line \d/);
    expect(warning?.hint).toContain(hint);
  });

  test('a misspelt variable', async () => {
    const { warnings } = await kongLoad({
      env: { ...CLUSTER, ...STORAGE, KONG_CLUSTER_FALLBACK_CONFIG_IMPROT: 'on' },
    });
    expect(warnings.find(({ code }) => code === 'KF_KONG_NAME_UNKNOWN')).toMatchObject({
      message: expect.stringContaining('env KONG_CLUSTER_FALLBACK_CONFIG_IMPROT'),
      hint: 'Did you mean cluster_fallback_config_import?',
    });
  });

  test("Kong's other settings are passed over in silence", async () => {
    const conf = 'proxy_listen = 0.0.0.0:8000\nproxy_listen = 0.0.0.0:9000\nlog_level: debug\nanything = 1';
    const env = { ...CLUSTER, ...STORAGE, KONG_PG_PASSWORD: 'x', KONG_CLUSTER_LISTEN: 'off' };
    expect(await warningsOf(kongLoad({ conf, env }))).toEqual([
      'KF_KONG_UNENCRYPTED',
      'KF_SETTINGS_UNSIGNED',
    ]);
  });

  test('stray lines are bounded', async () => {
    const codes = await warningsOf(
      kongLoad({ conf: 'stray\n'.repeat(1000), env: { ...CLUSTER, ...STORAGE } }),
    );
    expect(codes.filter((code) => code === 'KF_KONG_CONF_LINE')).toHaveLength(5);
  });
});

describe('storage', () => {
  test.each([
    ['s3://kong-fallback', { bucket: 'kong-fallback' }, ''],
    ['s3://kong-fallback/', { bucket: 'kong-fallback' }, ''],
    ['S3://kong-fallback/production/eu/', { bucket: 'kong-fallback' }, 'production/eu'],
    [
      'https://minio.internal:9000/kong-fallback/production',
      { bucket: 'kong-fallback', endpoint: 'https://minio.internal:9000', forcePathStyle: true },
      'production',
    ],
    ['http://127.0.0.1:1/b', { bucket: 'b', endpoint: 'http://127.0.0.1:1', forcePathStyle: true }, ''],
    [
      'https://s3.eu-west-1.amazonaws.com/kong/x',
      { bucket: 'kong', endpoint: 'https://s3.eu-west-1.amazonaws.com', forcePathStyle: true },
      'x',
    ],
  ])('%s', async (address, settings, prefix) => {
    expect(await storageOf(address)).toMatchObject([{ use: 's3', id: 's3', settings, prefix }]);
  });

  test('PutObject arguments become settings of the plugin', async () => {
    const json = '{"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "alias/kong"}';
    expect(await storageOf('s3://b', { KONG_CLUSTER_FALLBACK_EXPORT_S3_CONFIG: json })).toMatchObject([
      { settings: { serverSideEncryption: 'aws:kms', kmsKeyId: 'alias/kong' } },
    ]);
  });

  test('PutObject arguments that the plugin has no setting for go to putObject', () => {
    expect(putObjectSettings('{"Tagging": "a=b", "BucketKeyEnabled": true}')).toEqual([
      { path: ['putObject', 'Tagging'], value: 'a=b' },
      { path: ['putObject', 'BucketKeyEnabled'], value: 'true' },
    ]);
  });

  test("takes the place of the file's list as a whole, and says so", async () => {
    const files = {
      '.kongfallbackrc': `
cluster: x
gatewayVersions: ["3.9.1"]
encryption: none
storages: [{ use: file, path: a }, { use: file, id: b, path: b }]
`,
    };
    const loading = kongLoad({ files, env: { ...CLUSTER, ...STORAGE } });
    expect((await loading).entries.storages.map(({ use }) => use)).toEqual(['s3']);
    expect(await warningsOf(loading)).toEqual(['KF_KONG_REPLACES_STORAGES', 'KF_SETTINGS_UNSIGNED']);
    const rows = await rowsOf(loading);
    expect(Object.keys(rows).filter((path) => path.startsWith('storages'))).not.toContain('storages');
    expect(rows['storages[0].bucket']).toEqual(['kong-fallback', 'env KONG_CLUSTER_FALLBACK_CONFIG_STORAGE']);
  });

  test('one that has no plugin does not stop a start that has storages of its own', async () => {
    const files = {
      '.kongfallbackrc':
        'cluster: x\ngatewayVersions: ["3.9.1"]\nencryption: none\nstorages: [{ use: file, path: a }]\n',
    };
    const loading = kongLoad({ files, env: { ...CLUSTER, KONG_CLUSTER_FALLBACK_CONFIG_STORAGE: 'gs://b' } });
    expect((await loading).entries.storages.map(({ use }) => use)).toEqual(['file']);
    expect(await warningsOf(loading)).toContain('KF_KONG_STORAGE_IGNORED');
  });
});

describe('certificates', () => {
  const controlPlane = async (env: Record<string, string>, cwdFiles = {}) =>
    (await kongLoad({ env: { ...CLUSTER, ...STORAGE, ...env }, files: cwdFiles })).settings.controlPlane;
  const base64 = (text: string): string => Buffer.from(text).toString('base64');

  test('as paths, relative to the working directory even where the settings file is elsewhere', async () => {
    expect(await controlPlane({})).toEqual({
      addresses: ['cp.internal:8005'],
      certificate,
      key,
      mtls: 'shared',
    });
    const files = {
      'etc/config.yaml': 'cluster: x\ngatewayVersions: ["3.9.1"]\nencryption: none\n',
    };
    expect(await controlPlane({}, files)).toMatchObject({ certificate, key });
  });

  test('as PEM, as base64, and out of the environment vault', async () => {
    expect(await controlPlane({ KONG_CLUSTER_CERT: certificate, KONG_CLUSTER_CERT_KEY: key })).toMatchObject({
      certificate,
      key,
    });
    expect(
      await controlPlane({ KONG_CLUSTER_CERT: base64(certificate), KONG_CLUSTER_CERT_KEY: base64(key) }),
    ).toMatchObject({ certificate, key });
    expect(
      await controlPlane({
        KONG_CLUSTER_CERT: '{vault://env/cluster-pair/cert}',
        CLUSTER_PAIR: JSON.stringify({ cert: certificate }),
        KONG_VAULT_ENV_PREFIX: 'secure-',
        SECURE_CLUSTER_PAIR: JSON.stringify({ cert: base64(certificate) }),
        KONG_CLUSTER_CERT_KEY: '{vault://env/cluster-key?prefix=MY_}',
        MY_CLUSTER_KEY: key,
      }),
    ).toMatchObject({ certificate, key });
  });

  test('pki: the CA and the name count; shared: Kong ignores them, and so do we', async () => {
    const more = { KONG_CLUSTER_CA_CERT: 'ca.crt', KONG_CLUSTER_SERVER_NAME: 'cp.example.com' };
    const pki = { mtls: 'pki', ca: certificate, serverName: 'cp.example.com' };
    expect(await controlPlane({ ...more, KONG_CLUSTER_MTLS: 'pki' })).toMatchObject(pki);
    expect(await controlPlane({ ...more, KONG_CLUSTER_MTLS: 'pki_check_cn' })).toMatchObject(pki);
    expect(await controlPlane({ ...more, KONG_CLUSTER_MTLS: 'shared' })).not.toHaveProperty('ca');
    expect(await controlPlane(more)).not.toHaveProperty('serverName');
    expect(await controlPlane({ ...more, KONGFALLBACK_CONTROL_PLANE__MTLS: 'pki' })).toMatchObject(pki);
  });

  test('a vault that only Kong can read is no matter where ours says otherwise, or where it is not used', async () => {
    const vault = '{vault://hcv/kong/x}';
    expect(
      await controlPlane({
        KONG_CLUSTER_CERT_KEY: vault,
        KONGFALLBACK_CONTROL_PLANE__KEY: 'cluster.key',
        KONG_CLUSTER_CA_CERT: vault,
      }),
    ).toMatchObject({ key });
    await expect(controlPlane({ KONG_CLUSTER_CERT_KEY: vault })).rejects.toThrow('the vault hcv');
    await expect(controlPlane({ KONG_CLUSTER_CA_CERT: vault, KONG_CLUSTER_MTLS: 'pki' })).rejects.toThrow(
      'the vault hcv',
    );
  });

  test('of a node that names no control plane they say nothing', async () => {
    const env = { ...STORAGE, KONG_CLUSTER_CERT: 'cluster.crt', KONG_CLUSTER_CERT_KEY: 'cluster.key' };
    const loading = kongLoad({ env, role: 'node' });
    expect((await loading).settings.controlPlane).toBeUndefined();
    expect(await warningsOf(loading)).toContain('KF_SETTINGS_NO_CONTROL_PLANE');
  });
});

test('what looks like a reference of ours is text of Kong', async () => {
  const env = {
    ...CLUSTER,
    KONG_CLUSTER_FALLBACK_CONFIG_STORAGE: 's3://b',
    KONG_PREFIX: '/srv/${env:HOME}/$${x}',
  };
  const { settings } = await kongLoad({ env, role: 'node' });
  expect(settings.bootstrap.kongPrefix).toBe('/srv/${env:HOME}/$${x}');
});

test('kong.conf, then KONG_*, then KONGFALLBACK_*, then flags; the file is under all of them', async () => {
  const conf = `
cluster_fallback_config_export_delay = 11
cluster_control_plane = conf:1
cluster_fallback_config = off
cluster_fallback_config_storage = s3://conf
`;
  const file =
    'cluster: x\nencryption: none\ngatewayVersions: ["3.9.1"]\nexport: { delaySeconds: 1, successPolicy: all }\n';
  const rows = (env: Record<string, string>, flags = {}) =>
    rowsOf(
      kongLoad({
        conf,
        files: { '.kongfallbackrc': file },
        env: { KONG_CLUSTER_CERT: 'cluster.crt', KONG_CLUSTER_CERT_KEY: 'cluster.key', ...env },
        flags,
      }),
    );
  const kong = { KONG_CLUSTER_FALLBACK_CONFIG_EXPORT_DELAY: '12', KONG_CLUSTER_CONTROL_PLANE: 'env:1' };
  const ours = { KONGFALLBACK_EXPORT__DELAY_SECONDS: '13' };
  const delay = async (env: Record<string, string>, flags = {}) =>
    (await rows(env, flags))['export.delaySeconds'];
  expect(await delay({})).toEqual([11, 'kong.conf line 2']);
  expect(await delay(kong)).toEqual([12, 'env KONG_CLUSTER_FALLBACK_CONFIG_EXPORT_DELAY']);
  expect(await delay({ ...kong, ...ours })).toEqual([13, 'env KONGFALLBACK_EXPORT__DELAY_SECONDS']);
  expect(await delay({ ...kong, ...ours }, { 'export.delaySeconds': '14' })).toEqual([
    14,
    'flag --set export.delaySeconds',
  ]);
  const all = await rows(kong);
  expect(all['controlPlane.address']).toEqual(['env:1', 'env KONG_CLUSTER_CONTROL_PLANE']);
  expect(all['storages[0].bucket']).toEqual(['conf', 'kong.conf line 5']);
  expect(all['export.successPolicy']).toEqual(['all', 'file .kongfallbackrc:4:28']);
  // An empty variable unsets what kong.conf says, as in Kong.
  expect(await delay({ KONG_CLUSTER_FALLBACK_CONFIG_EXPORT_DELAY: '' })).toEqual([
    1,
    'file .kongfallbackrc:4:11',
  ]);
});

test('a whole kong.conf of a backup node', async () => {
  const loading = kongLoad({ conf: fixture('names-backup-node.conf') });
  const { settings, entries } = await loading;
  expect(settings.controlPlane).toEqual({
    addresses: ['cp.internal:8005'],
    certificate,
    key,
    mtls: 'pki',
    ca: certificate,
    serverName: 'cp.example.com',
  });
  expect(settings.export.delaySeconds).toBe(10);
  expect(settings.bootstrap).toMatchObject({
    kongPrefix: '/srv/kong',
    cacheDirectory: join('/srv/kong', 'kongfallback-cache'),
  });
  expect(entries.storages).toMatchObject([
    {
      prefix: 'production/eu',
      settings: { bucket: 'kong-fallback', serverSideEncryption: 'aws:kms', kmsKeyId: 'alias/kong' },
    },
  ]);
  expect(await warningsOf(loading)).toEqual(['KF_KONG_UNENCRYPTED', 'KF_SETTINGS_UNSIGNED']);
});
