import { expect, test } from 'vitest';
import { main } from '../../../src/cli.ts';
import { folderWith } from './folder.ts';
import { certificate, fixture, key } from './kong-load.ts';

const body = key.split('\n')[1] ?? '';

async function config(argv: readonly string[], env: Record<string, string>) {
  const cwd = folderWith({
    'kong.conf': fixture('names-backup-node.conf'),
    'cluster.crt': certificate,
    'cluster.key': key,
    'ca.crt': certificate,
  });
  let [stdout, stderr] = ['', ''];
  const code = await main(['config', '--kong-conf', 'kong.conf', ...argv], {
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
    env: { KONGFALLBACK_GATEWAY_VERSIONS: '3.9.1', ...env },
    cwd,
    terminal: false,
  });
  return { code, stdout, stderr };
}

test('each value of Kong with its line or its variable, the key as ***', async () => {
  const { code, stdout, stderr } = await config(['--set', 'cluster=blue'], {
    KONG_CLUSTER_CONTROL_PLANE: 'other:8005',
    KONG_CLUSTER_CERT_KEY: key,
  });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^# settings of role exporter, file none$/m);
  expect(stdout).toMatch(/^cluster +"blue" +flag --set cluster$/m);
  expect(stdout).toMatch(/^controlPlane\.address +"other:8005" +env KONG_CLUSTER_CONTROL_PLANE$/m);
  expect(stdout).toMatch(/^controlPlane\.mtls +"pki" +kong\.conf line 10$/m);
  expect(stdout).toMatch(/^controlPlane\.key +"\*\*\*" +env KONG_CLUSTER_CERT_KEY$/m);
  expect(stdout).toMatch(/^storages\[0\]\.prefix +"production\/eu" +kong\.conf line 18$/m);
  expect(stdout).toMatch(/^storages\[0\]\.kmsKeyId +"alias\/kong" +kong\.conf line 20$/m);
  expect(stdout).toMatch(/^encryption +"none" +default with Kong's names$/m);
  expect(stderr).toMatch(/^warning: .*unencrypted.* \[KF_KONG_UNENCRYPTED\]$/m);
  expect(stdout + stderr).not.toContain(body);
});

test('a key in base64 is masked in JSON too', async () => {
  const base64 = Buffer.from(key).toString('base64');
  const { stdout, stderr } = await config(['--json'], { KONG_CLUSTER_CERT_KEY: base64 });
  expect(JSON.parse(stdout).settings).toContainEqual({
    path: 'controlPlane.key',
    value: '***',
    origin: 'env KONG_CLUSTER_CERT_KEY',
  });
  for (const secret of [body, base64]) expect(stdout + stderr).not.toContain(secret);
});
