import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { main } from '../../../src/cli.ts';
import { clusterCertificate } from '../../stand-in/certificates.ts';
import { folderWith } from '../config/folder.ts';

const { certificate, key } = clusterCertificate();

/** A node whose control plane is not there, with a store that is empty. */
async function run(argv: readonly string[], env: Record<string, string> = {}, files = {}) {
  const cwd = folderWith({ 'cluster.crt': certificate, 'cluster.key': key, ...files });
  let [stdout, stderr] = ['', ''];
  const code = await main(['run', ...argv], {
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
    env: {
      KONG_PREFIX: join(cwd, 'kong'),
      KONG_CLUSTER_CONTROL_PLANE: '127.0.0.1:1',
      KONG_CLUSTER_CERT: 'cluster.crt',
      KONG_CLUSTER_CERT_KEY: 'cluster.key',
      KONGFALLBACK_GATEWAY_VERSIONS: '3.9.1',
      KONGFALLBACK_STORAGES: '[{"use":"memory"}]',
      KONGFALLBACK_LOG__LEVEL: 'error',
      ...env,
    },
    cwd,
    terminal: false,
  });
  return { code, stdout, stderr };
}

const ON = { KONG_CLUSTER_FALLBACK_CONFIG_IMPORT: 'on' };

describe('refused', () => {
  test('no role', async () => {
    const { code, stderr } = await run([]);
    expect(code).toBe(2);
    expect(stderr).toContain('[KF_RUN_NO_ROLE]');
  });

  test('a command on the backup node, which starts none', async () => {
    const { code, stderr } = await run(['--', 'kong', 'docker-start'], {
      KONG_CLUSTER_FALLBACK_CONFIG_EXPORT: 'on',
    });
    expect(code).toBe(2);
    expect(stderr).toMatch(/too many arguments for 'export'.*\[KF_USAGE\]/);
  });

  test('a kong.conf that is not there', async () => {
    const { code, stderr } = await run(['--kong-conf', 'missing.conf']);
    expect(code).toBe(2);
    expect(stderr).toContain('[KF_KONG_CONF_UNREADABLE]');
  });

  test('a command without --, whose options would be taken for ours', async () => {
    const { code, stderr } = await run(['kong', 'start', '-c', 'kong.conf'], ON, { 'kong.conf': '' });
    expect(code).toBe(2);
    expect(stderr).toContain('[KF_USAGE]');
  });

  test('an option of one command only', async () => {
    expect((await run(['--accept-shrinkage', 'x'], ON)).stderr).toContain('[KF_USAGE]');
  });
});

test('a gateway is started although nobody can tell what else to run', async () => {
  const script = 'process.exitCode = process.argv.includes("-c") ? 7 : 1';
  const gateway = [process.execPath, '-e', script, '--', '-c', 'kong.conf'];
  const { code, stderr } = await run(['--kong-conf', 'missing.conf', '--', ...gateway]);
  expect(stderr).toContain('KF_KONG_CONF_UNREADABLE');
  expect(code).toBe(7);
});

test('import alone is bootstrap, with every option passed on', async () => {
  const conf = 'cluster_fallback_config_import = on\n';
  const { code, stdout, stderr } = await run(
    ['--kong-conf', 'kong.conf', '--set', 'bootstrap.gatewayVersion=3.8.0', '--json', '--once'],
    {},
    { 'kong.conf': conf },
  );
  expect(JSON.parse(stdout)).toMatchObject({ origin: 'none', gatewayVersion: '3.8.0' });
  expect(stderr).toContain('KF_');
  expect(code).toBe(10);
});

test('export on is export, also beside import', async () => {
  const { code, stdout } = await run(['--json', '--once'], {
    ...ON,
    KONG_CLUSTER_FALLBACK_CONFIG_EXPORT: 'on',
  });
  expect(JSON.parse(stdout)).toMatchObject({ lines: [{ error: { code: 'KF_CP_REFUSED_CONNECTION' } }] });
  expect(code).toBe(10);
});
