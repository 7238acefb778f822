import { strict as assert } from 'node:assert';
import { afterEach, beforeEach, describe, test } from 'vitest';
import { settings } from '../../../../../plugins/storage/s3/settings.ts';
import { S3Double, WRITER } from '../../../../s3/double.ts';
import { closeStores, openStore } from './opened-stores.ts';

const { signal } = new AbortController();

let double: S3Double;
beforeEach(async () => {
  double = await new S3Double().start();
});
afterEach(async () => {
  await closeStores();
  await double.close();
});

const open = (more: Record<string, unknown>) =>
  openStore({ bucket: double.bucket, endpoint: double.endpoint, ...WRITER, ...more });

const refusal = (given: Record<string, unknown>) =>
  settings.safeParse({ bucket: 'b', ...given }).error?.message;

describe('arguments of PutObject', () => {
  test('go with every write, beside what the store sets itself', async () => {
    const store = await open({
      serverSideEncryption: 'aws:kms',
      kmsKeyId: 'alias/kong',
      putObject: {
        ACL: 'bucket-owner-full-control',
        StorageClass: 'STANDARD_IA',
        Tagging: 'team=platform&tier=0',
        BucketKeyEnabled: true,
        SSEKMSEncryptionContext: 'eyJhIjoiYiJ9',
        ExpectedBucketOwner: '123456789012',
        RequestPayer: 'requester',
        CacheControl: 'no-store',
        ContentType: 'application/vnd.kongfallback',
        GrantRead: 'id="1"',
      },
    });
    for (const key of ['a', 'b']) await store.put(key, new Uint8Array(3), { ifAbsent: true, signal });
    for (const { headers } of double.requests) {
      const expected = {
        'x-amz-server-side-encryption': 'aws:kms',
        'x-amz-server-side-encryption-aws-kms-key-id': 'alias/kong',
        'x-amz-server-side-encryption-bucket-key-enabled': 'true',
        'x-amz-server-side-encryption-context': 'eyJhIjoiYiJ9',
        'x-amz-acl': 'bucket-owner-full-control',
        'x-amz-grant-read': 'id="1"',
        'x-amz-storage-class': 'STANDARD_IA',
        'x-amz-tagging': 'team=platform&tier=0',
        'x-amz-expected-bucket-owner': '123456789012',
        'x-amz-request-payer': 'requester',
        'cache-control': 'no-store',
        'content-type': 'application/vnd.kongfallback',
        'if-none-match': '*',
      };
      assert.deepEqual(
        Object.fromEntries(Object.keys(expected).map((name) => [name, headers[name]])),
        expected,
      );
    }
    assert.equal(double.count('put'), 2);
  });

  test('without any, a write says what it is and no more', async () => {
    await (await open({})).put('a', new Uint8Array(3), { signal });
    const { headers } = double.requests[0] ?? {};
    assert.equal(headers?.['content-type'], 'application/octet-stream');
    for (const name of ['x-amz-acl', 'x-amz-storage-class', 'x-amz-server-side-encryption', 'expect']) {
      assert.equal(headers?.[name], undefined, name);
    }
  });

  test.each<[Record<string, unknown>, RegExp]>([
    [{ Body: 'x' }, /kongfallback sets it itself/],
    [{ Key: 'x' }, /set prefix/],
    [{ Bucket: 'x' }, /set bucket/],
    [{ IfNoneMatch: '*' }, /keep two exporters apart/],
    [{ IfMatch: '"x"' }, /keep two exporters apart/],
    [{ ServerSideEncryption: 'AES256' }, /set serverSideEncryption/],
    [{ SSEKMSKeyId: 'alias/kong' }, /set kmsKeyId/],
    [{ SSECustomerKey: 'planted' }, /nobody can read the object without the key/],
    [{ ObjectLockRetainUntilDate: '2030-01-01' }, /default retention/],
    [{ ChecksumAlgorithm: 'SHA256' }, /checksums/],
    [{ ContentEncoding: 'gzip' }, /digest would not fit/],
    [{ StorageClass: 'GLACIER' }, /cannot wait for an archive/],
    [{ StorageClass: 'DEEP_ARCHIVE' }, /cannot wait for an archive/],
    [{ StorageClas: 'STANDARD' }, /Unrecognized key/],
    [{ Tagging: 5 }, /expected string/],
    [{ BucketKeyEnabled: 'yes' }, /expected boolean/],
  ])('%j is refused, and says why', (putObject, why) => {
    const message = refusal({ putObject });
    assert.match(message ?? '', why);
    assert.doesNotMatch(message ?? '', /planted/);
  });

  test.each([{ StorageClass: 'GLACIER_IR' }, { StorageClass: 'INTELLIGENT_TIERING' }, {}])(
    '%j is taken',
    (putObject) => assert.equal(refusal({ putObject }), undefined),
  );

  test('a KMS key without KMS is refused', () => {
    assert.match(refusal({ kmsKeyId: 'alias/kong' }) ?? '', /goes with serverSideEncryption/);
    assert.match(
      refusal({ kmsKeyId: 'alias/kong', serverSideEncryption: 'AES256' }) ?? '',
      /goes with serverSideEncryption/,
    );
  });
});
