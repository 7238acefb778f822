// What a new node makes of a bucket that is closed to it, or of a server that fails.
import { readFileSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { READER, S3Double, WRITER } from '../s3/double.ts';
import { documentNumber, exported } from './exported.ts';
import { expectRefusal } from './refusal.ts';
import { Site, type SiteOptions } from './site.ts';

const BOOTSTRAP = ['bootstrap', '--once'];
const failed = { code: 'KF_RESTORE_FAILED' };

describe('a bucket', () => {
  let s3: S3Double;
  const at = (credentials: object, more: object = {}): SiteOptions => ({
    storages: [{ use: 's3', bucket: s3.bucket, endpoint: s3.endpoint, ...credentials, ...more }],
  });

  beforeAll(async () => {
    s3 = await new S3Double().start();
  });
  beforeEach(() => {
    s3.objects.clear();
    s3.faults = [];
  });
  afterAll(() => s3.close());

  it('403 for a missing key, as AWS answers without ListBucket: the hint says that it may be missing', async () => {
    const site = new Site(at(READER));
    await expectRefusal(site, BOOTSTRAP, {
      ...failed,
      exit: 11,
      names: /403|AccessDenied/,
      hint: /ListBucket|missing|does not exist/,
    });
    site.remove();
  });

  it.each([
    {
      name: 'a bucket that does not exist',
      more: { bucket: 'nowhere' },
      exit: 11,
      names: /nowhere.*does not exist/,
    },
    {
      name: 'an access key that is not known',
      more: { accessKeyId: 'STRANGER' },
      exit: 11,
      names: /InvalidAccessKeyId/,
    },
    {
      name: 'an endpoint where nobody listens',
      more: { endpoint: 'http://127.0.0.1:9' },
      exit: 10,
      names: /127\.0\.0\.1:9|ECONNREFUSED/,
    },
  ])('$name', async ({ more, name: _, ...expected }) => {
    const site = new Site(at(WRITER, more));
    await expectRefusal(site, BOOTSTRAP, { ...failed, ...expected });
    site.remove();
  });

  it.each([
    { name: 'answers 503', act: { status: 503, code: 'SlowDown' }, exit: 10 },
    { name: 'answers with a web page', act: { html200: true }, exit: 10 },
    { name: 'resets', act: { reset: true }, exit: 10 },
  ] as const)('$name: once more from the cache, or refused without one', async ({ act, exit }) => {
    const site = await exported(at(WRITER), [documentNumber(1)]);
    s3.faults = [{ on: 'get', act }];
    await expectRefusal(site, BOOTSTRAP, { ...failed, exit });
    s3.faults = [];
    expect((await site.run(BOOTSTRAP)).code).toBe(0);
    rmSync(site.target);
    s3.faults = [{ on: 'get', act }];
    const again = await site.run([...BOOTSTRAP, '--json']);
    expect(again.code, again.stderr).toBe(0);
    expect(again.json()).toMatchObject({ origin: 'cache' });
    expect(readFileSync(site.target).equals(documentNumber(1))).toBe(true);
    site.remove();
  });
});
