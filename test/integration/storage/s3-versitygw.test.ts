import { strict as assert } from 'node:assert';
import { setMaxListeners } from 'node:events';
import { assertKind, pluginContext, storageContract } from 'kongfallback/testing';
import { afterAll, beforeAll, describe, test } from 'vitest';
import s3 from '../../../plugins/storage/s3/index.ts';
import { settings } from '../../../plugins/storage/s3/settings.ts';
import { findVersitygw, type S3Credentials, Versitygw } from '../../s3/versitygw.ts';

const WRITERS = 50;
const binary = findVersitygw();

describe.skipIf(binary === undefined)('s3 on versitygw', () => {
  let server: Versitygw;
  const { signal } = new AbortController();
  setMaxListeners(0, signal);
  const text = (value: string) => new TextEncoder().encode(value);
  const open = (bucket: string, credentials: S3Credentials, endpoint = server.endpoint) =>
    s3.create(settings.parse({ bucket, endpoint, ...credentials }), pluginContext());

  beforeAll(async () => {
    server = await Versitygw.start(binary ?? '');
  });
  afterAll(() => server?.stop());

  storageContract(test, async () => {
    const bucket = await server.createBucket();
    return {
      capabilities: s3.capabilities ?? {},
      moreThanOnePage: 1_010,
      open: () => open(bucket, server.root),
      openDenied: () => open(bucket, { ...server.root, secretAccessKey: 'wrong' }),
    };
  });

  for (const [name, condition] of [
    ['ifAbsent', () => ({ ifAbsent: true })],
    ['ifMatch', (etag: string) => ({ ifMatch: etag })],
  ] as const) {
    test(`${name}: of ${WRITERS} writers at once exactly one wins, in 10 rounds`, async () => {
      const store = await open(await server.createBucket(), server.root);
      for (let round = 0; round < 10; round++) {
        const key = `race/${round}`;
        const before = name === 'ifMatch' ? (await store.put(key, text('start'), { signal })).etag : '';
        const results = await Promise.allSettled(
          Array.from({ length: WRITERS }, (_, writer) =>
            store.put(key, text(`${round} ${writer}`), { ...condition(before), signal }),
          ),
        );
        for (const result of results) {
          if (result.status === 'rejected') {
            await assertKind(Promise.reject(result.reason), ['conflict', 'unavailable'], 'a loser');
          }
        }
        assert.equal(results.filter((result) => result.status === 'fulfilled').length, 1);
      }
      await store.close?.();
    });
  }

  test('a reader with s3:GetObject only reads, and is denied everything else', async () => {
    const bucket = await server.createBucket();
    const writer = await open(bucket, server.root);
    const { etag } = await writer.put('prod/head.json', text('{}'), { ifAbsent: true, signal });
    const reader = await open(bucket, await server.createReader(bucket));
    const found = await reader.get('prod/head.json', { signal });
    assert.ok(found !== undefined && found !== 'not-modified');
    assert.equal(found.etag, etag);
    for await (const chunk of found.body) assert.equal(Buffer.from(chunk).toString(), '{}');
    assert.equal(await reader.get('prod/head.json', { ifNoneMatch: etag, signal }), 'not-modified');
    await assertKind(reader.put('prod/head.json', text('x'), { ifMatch: etag, signal }), 'denied', 'put');
    await assertKind(reader.delete('prod/head.json', { signal }), 'denied', 'delete');
    await assertKind(
      async () => {
        for await (const _ of reader.list('prod/', { signal }));
      },
      'denied',
      'list',
    );
    await reader.close?.();
    await writer.close?.();
  });

  test('a bucket that does not exist is denied, and named', async () => {
    const store = await open('no-such-bucket', server.root);
    const error = await assertKind(store.get('head.json', { signal }), 'denied', 'get');
    assert.match(error.message, /no-such-bucket: the bucket does not exist/);
    await store.close?.();
  });
});
