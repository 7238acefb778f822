// Kong's how-to as it stands, on a backup node and on a data plane: its kong.conf, its variables, and nothing of ours.
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { READER, S3Double, WRITER } from '../s3/double.ts';
import { clusterCertificate } from '../stand-in/certificates.ts';
import { type StandInControlPlane, startStandInControlPlane } from '../stand-in/control-plane.ts';
import { recordedDocument, recordedFrame } from '../stand-in/frames.ts';
import { runCli } from './cli.ts';

const certificate = clusterCertificate();
let s3: S3Double;
let controlPlane: StandInControlPlane;
let folder: string;
/** Of the control plane, also when it is gone. */
let port: number;

beforeEach(async () => {
  s3 = await new S3Double().start();
  controlPlane = await startStandInControlPlane({ certificate });
  port = controlPlane.port;
  controlPlane.setFrame(recordedFrame('mixed'));
  folder = mkdtempSync(join(tmpdir(), 'kongfallback-kong-names-'));
  mkdirSync(join(folder, 'prefix'));
  writeFileSync(join(folder, 'cluster.crt'), certificate.certificate);
  writeFileSync(join(folder, 'cluster.key'), certificate.key, { mode: 0o600 });
  writeFileSync(join(folder, 'kong'), '#!/bin/sh\necho 3.9.3\n');
  chmodSync(join(folder, 'kong'), 0o755);
});
afterEach(async () => {
  await controlPlane.close();
  await s3.close();
  rmSync(folder, { recursive: true });
});

function run(conf: string, credentials: typeof WRITER, address: string) {
  const env = {
    PATH: `${folder}${delimiter}${process.env['PATH']}`,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_REGION: 'eu-west-1',
    AWS_DEFAULT_REGION: 'eu-west-1',
    KONG_CLUSTER_CONTROL_PLANE: `127.0.0.1:${port}`,
    KONG_CLUSTER_CERT: 'cluster.crt',
    KONG_CLUSTER_CERT_KEY: readFileSync(join(folder, 'cluster.key')).toString('base64'),
    KONG_PREFIX: join(folder, 'prefix'),
    ...(address.startsWith('s3:')
      ? { AWS_STORAGE_ENDPOINT: address, AWS_CONFIG_STORAGE_ENDPOINT: s3.endpoint }
      : { AWS_STORAGE_ENDPOINT: address }),
  };
  const kongConf = join(process.cwd(), 'test/fixtures/kong-conf', conf);
  return runCli(['run', '--kong-conf', kongConf, '--once', '--json'], { cwd: folder, env });
}

test.each([
  ['the URL of the store', () => `${s3.endpoint}/${s3.bucket}/production`],
  ['s3:// and AWS_CONFIG_STORAGE_ENDPOINT', () => `s3://${s3.bucket}/production`],
])('a data plane starts from what the backup node wrote: %s', async (_, address) => {
  const exported = await run('how-to-backup-node.conf', WRITER, address());
  expect(exported.code, exported.stderr).toBe(0);
  expect(exported.stderr).toContain('KF_KONG_UNENCRYPTED');
  expect(exported.stderr).toContain('KF_SETTINGS_UNSIGNED');
  expect(s3.requests.some(({ key }) => key === 'production/3.9.3/head.json')).toBe(true);

  await controlPlane.close();
  const started = await run('how-to-data-plane.conf', READER, address());
  expect(started.code, started.stderr).toBe(0);
  expect(started.json()).toMatchObject({ origin: 'storage', gatewayVersion: '3.9.3', authenticated: false });
  expect(started.stderr).toContain('KF_SETTINGS_UNVERIFIED');
  const written = readFileSync(join(folder, 'prefix/kongfallback.json'));
  expect(written.equals(recordedDocument('mixed'))).toBe(true);
});
