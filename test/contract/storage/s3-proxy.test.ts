// The kit once more the long way: a proxy, TLS by a CA of one's own, the bucket in the host name, writes kept apart.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pluginContext, storageContract } from 'kongfallback/testing';
import { afterAll, beforeAll, describe, test } from 'vitest';
import s3 from '../../../plugins/storage/s3/index.ts';
import { settings } from '../../../plugins/storage/s3/settings.ts';
import { systemClock } from '../../../src/resilience/clock.ts';
import { ConnectProxy } from '../../s3/connect-proxy.ts';
import { S3Double, WRITER } from '../../s3/double.ts';
import { TestAuthority } from '../../stand-in/certificates.ts';

const DOMAIN = 's3.fallback.test';
const authority = new TestAuthority('store-ca');
const tls = authority.leaf({ names: [`*.${DOMAIN}`] });

describe('s3 through a proxy', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'kf-s3-proxy-'));
    writeFileSync(join(folder, 'ca.crt'), authority.certificate);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  storageContract(test, async () => {
    const double = await new S3Double({ pageSize: 7, tls, virtualHostsOf: DOMAIN }).start();
    const proxy = await new ConnectProxy({ leadsTo: () => double.port }).start();
    const open = (port: number, more: object = {}) =>
      s3.create(
        settings.parse({
          bucket: double.bucket,
          endpoint: `https://${DOMAIN}`,
          forcePathStyle: false,
          caFile: 'ca.crt',
          proxy: `http://127.0.0.1:${port}`,
          ...WRITER,
          ...more,
        }),
        pluginContext({ clock: systemClock, baseDirectory: folder }),
      );
    const gone = await new ConnectProxy().start();
    const deadPort = gone.port;
    await gone.close();
    return {
      capabilities: s3.capabilities ?? {},
      open: () => open(proxy.port),
      openDenied: () => open(proxy.port, { accessKeyId: 'NOBODY' }),
      openDead: () => open(deadPort),
      cleanup: async () => {
        await proxy.close();
        await double.close();
      },
    };
  });
});
