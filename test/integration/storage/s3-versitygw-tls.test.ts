// What the double cannot tell, since it checks no signatures: requests that took the long way are still signed right.
import { strict as assert } from 'node:assert';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assertKind, drain, pattern, pluginContext } from 'kongfallback/testing';
import { afterAll, beforeAll, describe, test } from 'vitest';
import s3 from '../../../plugins/storage/s3/index.ts';
import { settings } from '../../../plugins/storage/s3/settings.ts';
import { systemClock } from '../../../src/resilience/clock.ts';
import { ConnectProxy } from '../../s3/connect-proxy.ts';
import { findVersitygw, Versitygw } from '../../s3/versitygw.ts';
import { TestAuthority } from '../../stand-in/certificates.ts';

const DOMAIN = 's3.fallback.test';
const authority = new TestAuthority('store-ca');
const leaf = authority.leaf({ names: [`*.${DOMAIN}`, DOMAIN, '127.0.0.1'] });
const binary = findVersitygw();
const { signal } = new AbortController();

describe.skipIf(binary === undefined)('s3 on versitygw with TLS', () => {
  let server: Versitygw;
  let proxy: ConnectProxy;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kf-s3-tls-'));
    writeFileSync(join(folder, 'ca.crt'), authority.certificate);
    server = await Versitygw.start(binary ?? '', {
      tls: { ...leaf, ca: authority.certificate },
      virtualDomain: DOMAIN,
    });
    proxy = await new ConnectProxy({ leadsTo: () => Number(new URL(server.endpoint).port) }).start();
  });
  afterAll(async () => {
    await proxy?.close();
    await server?.stop();
    rmSync(folder, { recursive: true });
  });

  const open = (given: Record<string, unknown>) =>
    s3.create(
      settings.parse({ caFile: 'ca.crt', ...server.root, ...given }),
      pluginContext({ clock: systemClock, baseDirectory: folder }),
    );

  const styles = {
    'path style, directly': () => ({ endpoint: server.endpoint }),
    'path style, through a proxy': () => ({ endpoint: `https://${DOMAIN}`, proxy: proxy.url }),
    'bucket in the host name, through a proxy': () => ({
      endpoint: `https://${DOMAIN}`,
      forcePathStyle: false,
      proxy: proxy.url,
    }),
    'bucket in the host name, with a port, without CRC32': () => ({
      endpoint: `https://${DOMAIN}:7480`,
      forcePathStyle: false,
      proxy: proxy.url,
      checksums: 'when-required',
    }),
  };
  for (const [style, given] of Object.entries(styles)) {
    test(style, async () => {
      const store = await open({ bucket: await server.createBucket(), ...given() });
      const bytes = pattern(5 * 2 ** 20);
      const { etag } = await store.put('a/b.kfs', bytes, { ifAbsent: true, signal });
      // Small: a large body can be cut by a server that answers before it has read it, and then nobody hears why.
      await assertKind(store.put('a/b.kfs', pattern(9), { ifAbsent: true, signal }), 'conflict', 'put');
      await store.put('a/head.json', pattern(10), { ifAbsent: true, signal });
      const found = await store.get('a/b.kfs', { signal });
      assert.ok(found !== undefined && found !== 'not-modified');
      assert.equal(found.etag, etag);
      assert.ok(Buffer.from(await drain(found.body)).equals(bytes));
      const keys: string[] = [];
      for await (const { key } of store.list('a/', { signal })) keys.push(key);
      assert.deepEqual(keys, ['a/b.kfs', 'a/head.json']);
      for (const key of keys) await store.delete(key, { signal });
      assert.equal(await store.get('a/b.kfs', { signal }), undefined);
      await store.close?.();
    });
  }

  test('another secret is denied, whichever way it came', async () => {
    const bucket = await server.createBucket();
    for (const given of Object.values(styles)) {
      const store = await open({ bucket, ...given(), secretAccessKey: 'wrong' });
      await assertKind(store.get('a', { signal }), 'denied', 'get');
      await store.close?.();
    }
  });
});
