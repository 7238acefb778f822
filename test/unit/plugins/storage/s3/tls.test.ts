import { strict as assert } from 'node:assert';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assertKind, FakeClock } from 'kongfallback/testing';
import { afterEach, beforeEach, describe, test, vi } from 'vitest';
import { systemClock } from '../../../../../src/resilience/clock.ts';
import { S3Double, WRITER } from '../../../../s3/double.ts';
import { RawServer } from '../../../../s3/raw-server.ts';
import { type CertificatePair, TestAuthority } from '../../../../stand-in/certificates.ts';
import { closeStores, openStore, until } from './opened-stores.ts';

const authority = new TestAuthority('store-ca');
const other = new TestAuthority('other-ca');
const good = authority.leaf({ names: ['127.0.0.1'] });
const { signal } = new AbortController();

let folder: string;
let double: S3Double;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kf-s3-tls-'));
  double = await new S3Double({ tls: good }).start();
});
afterEach(async () => {
  await closeStores();
  await double.close();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const write = (text: string, name = 'ca.crt') => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

const open = (more: Record<string, unknown> = {}) =>
  openStore(
    { bucket: double.bucket, endpoint: double.endpoint, ...WRITER, ...more },
    { clock: systemClock, baseDirectory: folder },
  );

async function serve(tls: CertificatePair): Promise<void> {
  await double.close();
  double = await new S3Double({ tls }).start();
}

describe('caFile', () => {
  test.each([
    ['one certificate', () => authority.certificate],
    ['several', () => other.certificate + authority.certificate],
    ['comments between', () => `# ours\r\n${authority.certificate}\n# end`],
    ['Windows line ends', () => authority.certificate.replaceAll('\n', '\r\n')],
  ])('with %s is trusted', async (_, text) => {
    const store = await open({ caFile: write(text()) });
    assert.equal(await store.get('a', { signal }), undefined);
  });

  test('is relative to the settings file, and AWS_CA_BUNDLE stands in for it', async () => {
    write(authority.certificate);
    assert.equal(await (await open({ caFile: 'ca.crt' })).get('a', { signal }), undefined);
    vi.stubEnv('AWS_CA_BUNDLE', write(authority.certificate, 'bundle.crt'));
    assert.equal(await (await open()).get('a', { signal }), undefined);
    await assertKind(
      (await open({ caFile: write(other.certificate) })).get('a', { signal }),
      'denied',
      'get',
    );
  });

  test.each<[string, () => string, RegExp]>([
    ['is not there', () => 'missing.crt', /missing\.crt: cannot be read \(ENOENT\)/],
    ['is a directory', () => '.', /cannot be read \(EISDIR\)/],
    ['is empty', () => write(''), /holds no certificate/],
    ['holds a key only', () => write(good.key), /holds no certificate/],
    [
      'holds a broken certificate',
      () => write(`${authority.certificate}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`),
      /certificate 2 of 2 is damaged/,
    ],
    [
      'holds a certificate that was cut',
      () => {
        const lines = authority.certificate.trim().split('\n');
        return write([...lines.slice(0, -3), lines.at(-1)].join('\n'));
      },
      /certificate 1 of 1 is damaged/,
    ],
    ['never ends', () => '/dev/zero', /has more than/],
    ['is far too large', () => write('#'.repeat(5 * 2 ** 20)), /has more than/],
  ])('that %s: invalid, before any request', async (_, path, message) => {
    const error = await assertKind(open({ caFile: path() }), 'invalid', 'create');
    assert.match(error.message, message);
    assert.match((error as { hint?: string }).hint ?? '', /caFile/);
    assert.doesNotMatch(error.message, /PRIVATE|AAAA/);
    assert.equal(double.requests.length, 0);
  });
});

describe('a server certificate', () => {
  const minute = 60_000;
  test.each<[string, () => CertificatePair]>([
    ['of an unknown issuer', () => other.leaf({ names: ['127.0.0.1'] })],
    ['for another name', () => authority.leaf({ names: ['127.0.0.2'] })],
    [
      'that has expired',
      () =>
        authority.leaf({
          names: ['127.0.0.1'],
          notBefore: new Date(Date.now() - 2 * minute),
          notAfter: new Date(Date.now() - minute),
        }),
    ],
  ])('%s: denied, and nothing was sent', async (_, pair) => {
    await serve(pair());
    const store = await open({ caFile: write(authority.certificate) });
    const error = await assertKind(store.get('a', { signal }), 'denied', 'get');
    assert.match(error.message, /certificate is not trusted/);
    assert.match((error as { hint?: string }).hint ?? '', /caFile/);
    assert.equal(double.requests.length, 0);
  });

  test('of no public CA, without caFile: denied', async () => {
    await assertKind((await open()).get('a', { signal }), 'denied', 'get');
  });

  test('is checked on uploads of any size', async () => {
    // The SDK has another way of sending large bodies, which once left the agent and its CA out.
    const store = await open({ caFile: write(authority.certificate) });
    await store.put('large', new Uint8Array(3 * 2 ** 20), { signal });
    const strict = await open({ caFile: write(other.certificate) });
    await assertKind(strict.put('large', new Uint8Array(3 * 2 ** 20), { signal }), 'denied', 'put');
  });
});

test('a server that accepts and begins no TLS is left after connectTimeoutSeconds', async () => {
  const silent = await new RawServer(undefined).start();
  const clock = new FakeClock();
  const store = await openStore(
    { endpoint: `https://127.0.0.1:${silent.port}`, connectTimeoutSeconds: 100, ...WRITER },
    { clock },
  );
  const get = assertKind(store.get('a', { signal }), 'unavailable', 'get');
  await silent.heard();
  await clock.advance(100_000);
  assert.match((await get).message, /no TLS with 127\.0\.0\.1:\d+ within 100000 ms/);
  await until(() => silent.connections === 0);
  assert.equal(clock.sleeping, 0);
  await silent.close();
});

test('a connection that stands outlives connectTimeoutSeconds, and nothing is left to wait for', async () => {
  const clock = new FakeClock();
  const store = await openStore(
    {
      bucket: double.bucket,
      endpoint: double.endpoint,
      caFile: write(authority.certificate),
      connectTimeoutSeconds: 100,
      ...WRITER,
    },
    { clock },
  );
  await store.get('a', { signal });
  assert.equal(clock.sleeping, 0);
  await clock.advance(200_000);
  assert.equal(await double.connections(), 1);
});

test('a server that speaks no TLS: unavailable or denied, never a hang', async () => {
  const plain = await new S3Double().start();
  const store = await openStore(
    { bucket: plain.bucket, endpoint: plain.endpoint.replace('http:', 'https:'), ...WRITER },
    { clock: systemClock },
  );
  await assertKind(store.get('a', { signal }), ['unavailable', 'denied'], 'get');
  await plain.close();
});
