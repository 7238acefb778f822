import { strict as assert } from 'node:assert';
import { pluginContext } from 'kongfallback/testing';
import { describe, test } from 'vitest';
import { NoProxy } from '../../../../../plugins/storage/s3/no-proxy.ts';
import { proxyFor } from '../../../../../plugins/storage/s3/proxy.ts';
import { settings } from '../../../../../plugins/storage/s3/settings.ts';

describe('NO_PROXY', () => {
  const cases: readonly (readonly [string, string, number, boolean])[] = [
    ['', 's3.internal', 443, false],
    ['*', 's3.internal', 443, true],
    ['s3.internal', 's3.internal', 443, true],
    ['S3.Internal', 's3.INTERNAL', 443, true],
    ['s3.internal', 's3.internal.', 443, true],
    ['internal', 's3.internal', 443, true],
    ['.internal', 's3.internal', 443, true],
    ['*.internal', 's3.internal', 443, true],
    ['internal', 'external', 443, false],
    ['ternal', 's3.internal', 443, false],
    ['s3.internal', 'eu.s3.internal.example.com', 443, false],
    ['a, b\tc', 'c', 443, true],
    ['s3.internal:9000', 's3.internal', 9000, true],
    ['s3.internal:9000', 's3.internal', 443, false],
    ['10.1.2.3', '10.1.2.3', 443, true],
    ['2.3', '10.1.2.3', 443, false],
    ['10.0.0.0/8', '10.1.2.3', 443, true],
    ['10.0.0.0/8', '11.1.2.3', 443, false],
    ['10.0.0.0/8', '10.internal', 443, false],
    ['10.0.0.0/99', '10.1.2.3', 443, false],
    ['fd00::/8', 'fd00::1', 443, true],
    ['[fd00::1]:9000', 'fd00::1', 9000, true],
    ['fd00::1', 'fd00::1', 443, true],
    ['fd00::1', 'fd00::2', 443, false],
    ['', 'localhost', 443, true],
    ['', 'kong.localhost', 443, true],
    ['', '127.0.0.9', 443, true],
    ['', '::1', 443, true],
    [':::,//,/8,[', 's3.internal', 443, false],
  ];
  for (const [text, host, port, expected] of cases) {
    test(`'${text}' and ${host}:${port}: ${expected ? 'direct' : 'by proxy'}`, () => {
      assert.equal(new NoProxy(text).has(host, port), expected);
    });
  }
});

describe('the proxy of a connection', () => {
  const S3 = { secure: true, host: 's3.eu-west-1.amazonaws.com', port: 443 };
  const MINIO = { secure: false, host: 'minio.internal', port: 9000 };
  const chosen = (
    environment: Record<string, string>,
    to: typeof S3,
    given: Record<string, unknown> = {},
  ): unknown => proxyFor(settings.parse({ bucket: 'b', ...given }), environment, pluginContext())(to);

  const direct: readonly (readonly [string, Record<string, string>, typeof S3, Record<string, unknown>])[] = [
    ['nothing is set', {}, S3, {}],
    ['variables are empty', { HTTPS_PROXY: '', https_proxy: '  ' }, S3, {}],
    ['only the other protocol has one', { HTTP_PROXY: 'http://p:1' }, S3, {}],
    ['NO_PROXY names the host', { HTTPS_PROXY: 'http://p:1', NO_PROXY: 'amazonaws.com' }, S3, {}],
    ['no_proxy names the host', { https_proxy: 'http://p:1', no_proxy: 'amazonaws.com' }, S3, {}],
    ['proxy: none', { HTTPS_PROXY: 'http://p:1' }, S3, { proxy: 'none' }],
    ['it is loopback', { HTTP_PROXY: 'http://p:1' }, { secure: false, host: '127.0.0.1', port: 80 }, {}],
  ];
  for (const [why, environment, to, given] of direct) {
    test(`none, because ${why}`, () => assert.equal(chosen(environment, to, given), undefined));
  }

  test.each([
    [
      { HTTPS_PROXY: 'http://proxy.internal:3128' },
      S3,
      { secure: false, host: 'proxy.internal', port: 3128 },
    ],
    [{ HTTPS_PROXY: 'proxy.internal:3128' }, S3, { secure: false, host: 'proxy.internal', port: 3128 }],
    [
      { https_proxy: 'http://low:1', HTTPS_PROXY: 'http://up:2' },
      S3,
      { secure: false, host: 'low', port: 1 },
    ],
    [{ HTTPS_PROXY: 'https://proxy.internal' }, S3, { secure: true, host: 'proxy.internal', port: 443 }],
    [{ HTTPS_PROXY: 'http://[fd00::1]' }, S3, { secure: false, host: 'fd00::1', port: 80 }],
    [
      { HTTPS_PROXY: 'http://me:p%40ss@proxy:1' },
      S3,
      { secure: false, host: 'proxy', port: 1, credentials: 'me:p@ss' },
    ],
    [{ HTTP_PROXY: 'http://proxy:1' }, MINIO, { secure: false, host: 'proxy', port: 1 }],
  ])('%j', (environment, to, expected) => {
    assert.deepEqual(chosen(environment, to), expected);
  });

  test('the setting wins over the environment, NO_PROXY included', () => {
    const environment = { HTTPS_PROXY: 'http://other:1', NO_PROXY: '*' };
    assert.deepEqual(
      chosen(environment, S3, { proxy: 'http://own:3128', proxyCredentials: 'me:secret:with colon' }),
      { secure: false, host: 'own', port: 3128, credentials: 'me:secret:with colon' },
    );
  });

  for (const value of ['socks5://me:planted@p:1', 'http://', 'http://me:planted@p:99999999']) {
    test(`HTTPS_PROXY=${value}: invalid, by name and without the password`, () => {
      assert.throws(
        () => chosen({ HTTPS_PROXY: value }, S3),
        (error: Error & { kind?: string; hint?: string }) => {
          assert.equal(error.kind, 'invalid');
          assert.match(error.message, /HTTPS_PROXY/);
          assert.doesNotMatch(error.message + error.hint, /planted/);
          return true;
        },
      );
    });
  }

  test.each([
    { proxy: 'http://me:planted@p:1' },
    { proxy: 'socks5://p:1' },
    { proxy: 'p:1' },
    { proxy: 'http://p:1/path' },
    { proxyCredentials: 'me:planted' },
    { proxy: 'none', proxyCredentials: 'me:planted' },
    { proxy: 'http://p:1', proxyCredentials: 'planted' },
    { endpoint: 'https://me:planted@minio:9000' },
    { endpoint: 'https://minio:9000/?planted' },
    { endpoint: 'ftp://minio' },
  ])('settings %j are refused, without a secret', (given) => {
    const { error } = settings.safeParse({ bucket: 'b', ...given });
    assert.ok(error !== undefined);
    assert.doesNotMatch(error.message, /planted/);
  });
});
