import { createServer } from 'node:net';
import { pluginContext, storageContract } from 'kongfallback/testing';
import { test } from 'vitest';
import s3 from '../../../plugins/storage/s3/index.ts';
import { settings } from '../../../plugins/storage/s3/settings.ts';
import { S3Double, WRITER } from '../../s3/double.ts';

/** A port that nobody listens on. */
async function deadPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

storageContract(test, async () => {
  const double = await new S3Double({ pageSize: 7 }).start();
  const open = (endpoint: string, credentials: typeof WRITER) =>
    s3.create(settings.parse({ bucket: double.bucket, endpoint, ...credentials }), pluginContext());
  const dead = `http://127.0.0.1:${await deadPort()}`;
  return {
    capabilities: s3.capabilities ?? {},
    open: () => open(double.endpoint, WRITER),
    openDenied: () => open(double.endpoint, { ...WRITER, accessKeyId: 'NOBODY' }),
    openDead: () => open(dead, WRITER),
    cleanup: () => double.close(),
  };
});
