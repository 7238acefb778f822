import { strict as assert } from 'node:assert';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ObjectStore } from 'kongfallback/plugin';
import { assertKind, drain, FakeClock } from 'kongfallback/testing';
import { afterEach, beforeEach, describe, test, vi } from 'vitest';
import { systemClock } from '../../../../../src/resilience/clock.ts';
import { ConnectProxy, type ConnectProxyOptions } from '../../../../s3/connect-proxy.ts';
import { S3Double, WRITER } from '../../../../s3/double.ts';
import { RawServer } from '../../../../s3/raw-server.ts';
import { TestAuthority } from '../../../../stand-in/certificates.ts';
import { closeStores, openStore, until } from './opened-stores.ts';

const DOMAIN = 's3.fallback.test';
const authority = new TestAuthority('store-ca');
const leaf = authority.leaf({ names: [`*.${DOMAIN}`, '127.0.0.1'] });
const { signal } = new AbortController();
const text = (value: string) => new TextEncoder().encode(value);

let folder: string;
let caFile: string;
let double: S3Double;
let proxy: ConnectProxy;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kf-s3-proxy-'));
  caFile = join(folder, 'ca.crt');
  writeFileSync(caFile, authority.certificate);
  // Bucket in the host name, which no resolver knows: only through the proxy is there a way.
  double = await new S3Double({ tls: leaf, virtualHostsOf: DOMAIN }).start();
  proxy = await new ConnectProxy({ leadsTo: () => double.port }).start();
});
afterEach(async () => {
  await closeStores();
  await proxy.close();
  await double.close();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const far = (more: Record<string, unknown> = {}, clock = systemClock) =>
  openStore(
    {
      bucket: double.bucket,
      endpoint: `https://${DOMAIN}`,
      forcePathStyle: false,
      caFile,
      ...WRITER,
      ...more,
    },
    { clock },
  );

async function restart(options: ConnectProxyOptions): Promise<void> {
  await proxy.close();
  proxy = await new ConnectProxy({ leadsTo: () => double.port, ...options }).start();
}

async function roundTrip(store: ObjectStore): Promise<void> {
  const { etag } = await store.put('a', text('through'), { ifAbsent: true, signal });
  await assertKind(store.put('a', text('again'), { ifAbsent: true, signal }), 'conflict', 'put');
  const found = await store.get('a', { signal });
  assert.ok(found !== undefined && found !== 'not-modified');
  assert.equal(found.etag, etag);
  assert.equal(Buffer.from(await drain(found.body)).toString(), 'through');
}

describe('through a proxy', () => {
  test('TLS to the bucket by its host name, one tunnel for many requests', async () => {
    await roundTrip(await far({ proxy: proxy.url }));
    assert.deepEqual(proxy.asked, [`${double.bucket}.${DOMAIN}:443`]);
  });

  test('the proxy of the environment', async () => {
    vi.stubEnv('HTTPS_PROXY', proxy.url);
    await roundTrip(await far());
    assert.equal(proxy.asked.length, 1);
  });

  test('an http endpoint', async () => {
    const plain = await new S3Double().start();
    await restart({ leadsTo: () => plain.port });
    const store = await openStore(
      {
        bucket: plain.bucket,
        endpoint: 'http://minio.fallback.test:9000',
        proxy: proxy.url,
        ...WRITER,
      },
      { clock: systemClock },
    );
    await roundTrip(store);
    assert.deepEqual(proxy.asked, ['minio.fallback.test:9000']);
    await plain.close();
  });

  test('an upload of 3 MiB', async () => {
    const store = await far({ proxy: proxy.url });
    await store.put('large', new Uint8Array(3 * 2 ** 20), { signal });
    assert.equal(double.objects.get('large')?.bytes.length, 3 * 2 ** 20);
  });

  test('a proxy with TLS of its own', async () => {
    await restart({ tls: leaf });
    await roundTrip(await far({ proxy: proxy.url }));
  });

  test('a proxy that wants a password, from the settings and from the environment', async () => {
    await restart({ credentials: 'me:p@ss' });
    await roundTrip(await far({ proxy: proxy.url, proxyCredentials: 'me:p@ss' }));
    vi.stubEnv('HTTPS_PROXY', `http://me:p%40ss@127.0.0.1:${proxy.port}`);
    const store = await far();
    assert.equal(await store.get('missing', { signal }), undefined);
  });

  test('closing the store ends every tunnel', async () => {
    const store = await far({ proxy: proxy.url });
    await Promise.all(['a', 'b', 'c'].map((key) => store.get(key, { signal })));
    assert.ok(proxy.open > 0);
    await store.close?.();
    await until(() => proxy.open === 0);
  });
});

describe('a proxy that does not', () => {
  const refused: readonly (readonly [number, string, RegExp])[] = [
    [407, 'denied', /proxyCredentials/],
    [403, 'denied', /CONNECT/],
    [405, 'denied', /CONNECT/],
    [404, 'denied', /NO_PROXY/],
    [302, 'denied', /CONNECT/],
    [502, 'unavailable', /does not reach/],
    [503, 'unavailable', /does not reach/],
    [504, 'unavailable', /does not reach/],
  ];
  for (const [status, kind, hint] of refused) {
    test(`${status}: ${kind}, named, with a hint and without the password`, async () => {
      await restart({ refuses: status });
      const store = await far({ proxy: proxy.url, proxyCredentials: 'me:planted-password' });
      const error = await assertKind(store.get('a', { signal }), kind as 'denied', 'get');
      assert.match(error.message, new RegExp(`proxy 127.0.0.1:${proxy.port}: no tunnel .*\\(${status}\\)`));
      assert.match((error as { hint?: string }).hint ?? '', hint);
      assert.doesNotMatch(JSON.stringify([error, error.message, error.cause]), /planted|bWU6/);
      assert.equal(double.requests.length, 0);
      await until(() => proxy.open === 0);
    });
  }

  test('wrong password: denied', async () => {
    await restart({ credentials: 'me:right' });
    const store = await far({ proxy: proxy.url, proxyCredentials: 'me:wrong' });
    await assertKind(store.get('a', { signal }), 'denied', 'get');
  });

  test('nobody there: unavailable, and the proxy is named', async () => {
    await proxy.close();
    const store = await far({ proxy: `http://127.0.0.1:${double.port}` });
    // The double speaks TLS only.
    const error = await assertKind(store.get('a', { signal }), 'unavailable', 'get');
    assert.match(error.message, /^proxy 127\.0\.0\.1:/);
    proxy = await new ConnectProxy().start();
  });

  test.each([
    ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['bytes before they can be meant for us', 'HTTP/1.1 200 OK\r\n\r\nhello'],
    ['a head without an end', `HTTP/1.1 200 OK\r\n${'X-Filler: 0123456789\r\n'.repeat(2_000)}`],
  ])('says %s: an error, and the connection is freed', async (_, says) => {
    await restart({ says });
    const store = await far({ proxy: proxy.url });
    await assertKind(store.get('a', { signal }), ['unavailable', 'denied'], 'get');
    await until(() => proxy.open === 0);
  });

  test('reaches a server that its CA did not issue: denied, with the certificate as reason', async () => {
    writeFileSync(caFile, new TestAuthority('other').certificate);
    const store = await far({ proxy: proxy.url });
    const error = await assertKind(store.get('a', { signal }), 'denied', 'get');
    assert.match((error as { hint?: string }).hint ?? '', /caFile/);
    await until(() => proxy.open === 0);
  });
});

describe('a proxy that is silent', () => {
  test('is left after connectTimeoutSeconds, and its connection freed', async () => {
    const silent = await new RawServer(undefined).start();
    const clock = new FakeClock();
    const store = await far({ proxy: silent.endpoint, connectTimeoutSeconds: 100 }, clock);
    const get = assertKind(store.get('a', { signal }), 'unavailable', 'get');
    await silent.heard();
    await clock.advance(100_000);
    const error = await get;
    assert.match(error.message, /no tunnel .* within 100000 ms/);
    await until(() => silent.connections === 0);
    assert.equal(clock.sleeping, 0);
    await silent.close();
  });

  test('ends with the signal, and with the store', async () => {
    const silent = await new RawServer(undefined).start();
    const store = await far({ proxy: silent.endpoint, connectTimeoutSeconds: 100 }, new FakeClock());
    const stop = new AbortController();
    const get = assertKind(store.get('a', { signal: stop.signal }), 'aborted', 'get');
    await silent.heard();
    stop.abort();
    await get;
    await store.close?.();
    await until(() => silent.connections === 0);
    await silent.close();
  });

  test('after the tunnel stands, in the TLS handshake: left after connectTimeoutSeconds', async () => {
    const silent = await new RawServer(undefined).start();
    await restart({ leadsTo: () => silent.port });
    const clock = new FakeClock();
    const store = await far({ proxy: proxy.url, connectTimeoutSeconds: 100 }, clock);
    const get = assertKind(store.get('a', { signal }), 'unavailable', 'get');
    await silent.heard();
    await clock.advance(100_000);
    assert.match((await get).message, /no TLS with .* within 100000 ms/);
    await until(() => silent.connections === 0 && proxy.open === 0);
    assert.equal(clock.sleeping, 0);
    await silent.close();
  });
});
