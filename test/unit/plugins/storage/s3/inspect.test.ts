import type { LifecycleRule } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { lifecycleFindings } from '../../../../../plugins/storage/s3/lifecycle.ts';
import { lifecycleServer } from '../../../../e2e/lifecycle-server.ts';
import { READER, S3Double, WRITER } from '../../../../s3/double.ts';
import { closeStores, openStore } from './opened-stores.ts';

const signal = new AbortController().signal;
const EXPIRES = { Status: 'Enabled', Expiration: { Days: 30 } } as const;
const codes = (rule: Partial<LifecycleRule>, prefix = 'production', tagged = false) =>
  lifecycleFindings([{ ...EXPIRES, ...rule }], prefix, tagged).map(({ code }) => code);

describe('lifecycle rules', () => {
  it.each<[string, Partial<LifecycleRule>, string?]>([
    ['for the whole bucket', {}],
    ['for an empty prefix', { Filter: { Prefix: '' } }],
    ['in the old form', { Prefix: 'production/' }],
    ['for a prefix above ours', { Filter: { Prefix: 'prod' } }],
    ['for a prefix below ours', { Filter: { Prefix: 'production/3.9.3/' } }],
    ['for sizes below ours', { Filter: { And: { Prefix: 'production/', ObjectSizeGreaterThan: 1 } } }],
    ['on a day', { Expiration: { Date: new Date() } }],
    ['for any prefix, where we have none', { Filter: { Prefix: 'logs/' } }, ''],
  ])('%s delete', (_, rule, prefix) => expect(codes(rule, prefix)).toEqual(['s3/lifecycle-deletes']));

  it.each<[string, Partial<LifecycleRule>]>([
    ['that is off', { Status: 'Disabled' }],
    ['of another prefix', { Filter: { Prefix: 'logs/' } }],
    ['of a prefix that only begins like ours', { Filter: { Prefix: 'production-old/' } }],
    ['for tags that we do not write', { Filter: { Tag: { Key: 'a', Value: 'b' } } }],
    ['for markers', { Expiration: { ExpiredObjectDeleteMarker: true } }],
    ['for former versions', { Expiration: undefined, NoncurrentVersionExpiration: { NoncurrentDays: 1 } }],
    [
      'for unfinished uploads',
      { Expiration: undefined, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } },
    ],
    [
      'that move to where it is read',
      { Expiration: undefined, Transitions: [{ Days: 30, StorageClass: 'STANDARD_IA' }] },
    ],
  ])('%s do no harm', (_, rule) => expect(codes(rule)).toEqual([]));

  it('for tags, where we write some', () => {
    expect(codes({ Filter: { Tag: { Key: 'a', Value: 'b' } } }, 'production', true)).toHaveLength(1);
  });

  it('that move to where nobody reads at once', () => {
    const moved = {
      Expiration: undefined,
      Transitions: [{ Days: 30, StorageClass: 'DEEP_ARCHIVE' as const }],
    };
    expect(codes(moved)).toEqual(['s3/lifecycle-archives']);
  });

  it('a name from the server stays on its line', () => {
    const [found] = lifecycleFindings([{ ...EXPIRES, ID: 'a\n\u001b[31m' }], '', false);
    expect(found?.message).not.toContain('\n');
    expect(found?.message).not.toContain('\u001b');
  });
});

describe('the bucket itself', () => {
  let double: S3Double;
  beforeAll(async () => {
    double = await new S3Double({ bucket: 'b' }).start();
  });
  afterAll(() => double.close());
  afterEach(async () => {
    await closeStores();
    double.faults = [];
    double.objects.clear();
  });

  const inspect = async (as: 'reader' | 'writer', credentials: object, endpoint = double.endpoint) => {
    const store = await openStore({ endpoint, ...credentials });
    return store.inspect?.({ prefix: 'p', as, signal });
  };

  it('a reader that may not write is well, and its rules are unseen', async () => {
    expect(await inspect('reader', READER)).toEqual({ findings: [], unseen: ['lifecycle rules'] });
  });

  it('a reader that may write is found, and has written nothing', async () => {
    const seen = await inspect('reader', WRITER);
    expect(seen?.findings).toMatchObject([{ code: 's3/writable-by-reader', severity: 'warning' }]);
    expect(double.objects.size).toBe(0);
  });

  it('a server that keeps no conditions is left as it was', async () => {
    const careless = await new S3Double({ bucket: 'b', ignoreConditions: true }).start();
    try {
      const seen = await inspect('reader', WRITER, careless.endpoint);
      expect(seen?.findings).toHaveLength(1);
      expect(careless.count('put')).toBe(1);
      expect(careless.objects.size).toBe(0);
    } finally {
      await careless.close();
    }
  });

  it('a store that fails is no proof of anything', async () => {
    double.faults = [{ on: 'put', act: { status: 500, code: 'InternalError' } }];
    await expect(inspect('reader', WRITER)).rejects.toMatchObject({ kind: 'unavailable' });
  });

  it('rules are read as the server writes them', async () => {
    const server = await lifecycleServer(
      double,
      '<Prefix>p/</Prefix><Expiration><Days>7</Days></Expiration>',
    );
    try {
      const seen = await inspect('writer', WRITER, server.endpoint);
      expect(seen).toMatchObject({
        findings: [{ code: 's3/lifecycle-deletes', severity: 'error' }],
        unseen: [],
      });
      expect(seen?.findings[0]?.message).toContain('"tidy-up" deletes snapshots after 7 days');
    } finally {
      server.close();
    }
  });

  it('no rules at all are none', async () => {
    double.faults = [{ on: 'other', act: { status: 404, code: 'NoSuchLifecycleConfiguration' } }];
    expect(await inspect('writer', WRITER)).toEqual({ findings: [], unseen: [] });
  });
});
