import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type IamPolicy, iamPolicy, type S3Storage } from '../../../src/commands/iam-policy.ts';
import { Site } from '../../e2e/site.ts';
import { run } from './command-run.ts';

const STORAGE: S3Storage = {
  prefix: 'fleet',
  bucket: 'kong',
  region: 'eu-west-1',
  serverSideEncryption: undefined,
  kmsKeyId: undefined,
  putObject: {},
};

const actions = ({ Statement }: IamPolicy) => Statement.flatMap(({ Action }) => Action);
const last = ({ Statement }: IamPolicy) => Statement.at(-1);

describe('a reader', () => {
  it('gets GetObject on heads and snapshots, and nothing else', () => {
    expect(iamPolicy('reader', STORAGE)).toEqual({
      Version: '2012-10-17',
      Statement: [
        {
          Sid: 'ReadHeadsAndSnapshots',
          Effect: 'Allow',
          Action: ['s3:GetObject'],
          Resource: ['arn:aws:s3:::kong/fleet/*/head.json', 'arn:aws:s3:::kong/fleet/*/snapshots/*'],
        },
      ],
    });
  });

  it('may decrypt, and not encrypt', () => {
    const policy = iamPolicy('reader', { ...STORAGE, kmsKeyId: 'k-1' });
    expect(actions(policy)).toEqual(['s3:GetObject', 'kms:Decrypt']);
  });
});

describe('an exporter', () => {
  it('lists only below its prefix', () => {
    const policy = iamPolicy('exporter', STORAGE);
    expect(actions(policy)).toEqual(['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:ListBucket']);
    expect(last(policy)).toMatchObject({
      Resource: ['arn:aws:s3:::kong'],
      Condition: { StringLike: { 's3:prefix': ['fleet/*'] } },
    });
  });

  it('without a prefix the bucket is its own', () => {
    const policy = iamPolicy('exporter', { ...STORAGE, prefix: '' });
    expect(policy.Statement[0]?.Resource).toEqual(['arn:aws:s3:::kong/*']);
    expect(last(policy)?.Condition).toBeUndefined();
  });

  it('arguments of PutObject that need rights of their own bring them', () => {
    const putObject = { Tagging: 'team=a', GrantRead: 'id=1', StorageClass: 'STANDARD_IA' };
    expect(actions(iamPolicy('exporter', { ...STORAGE, putObject }))).toEqual([
      's3:GetObject',
      's3:PutObject',
      's3:PutObjectAcl',
      's3:PutObjectTagging',
      's3:DeleteObject',
      's3:ListBucket',
    ]);
  });
});

describe('a key of KMS', () => {
  const ANY = 'arn:aws:kms:eu-west-1:*:key';
  it.each([
    ['an id', '1234', `${ANY}/1234`, undefined],
    ['an ARN', 'arn:aws:kms:eu-west-1:1:key/9', 'arn:aws:kms:eu-west-1:1:key/9', undefined],
    ['an alias', 'alias/kong', `${ANY}/*`, ['alias/kong']],
    ['the ARN of an alias', 'arn:aws:kms:eu-west-1:1:alias/kong', `${ANY}/*`, ['alias/kong']],
  ])('given as %s', (_what, kmsKeyId, resource, aliases) => {
    const statement = last(iamPolicy('exporter', { ...STORAGE, kmsKeyId }));
    expect(statement).toMatchObject({
      Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
      Resource: [resource],
      Condition: { StringLike: { 'kms:ViaService': ['s3.eu-west-1.amazonaws.com'] } },
    });
    expect(statement?.Condition?.['ForAnyValue:StringEquals']?.['kms:ResourceAliases']).toEqual(aliases);
  });

  it("the account's own needs no right", () => {
    const policy = iamPolicy('exporter', { ...STORAGE, serverSideEncryption: 'aws:kms' });
    expect(actions(policy).filter((action) => action.startsWith('kms'))).toEqual([]);
  });
});

it.each([
  ['cn-north-1', 'arn:aws-cn:s3:::kong', 's3.cn-north-1.amazonaws.com.cn'],
  ['us-gov-west-1', 'arn:aws-us-gov:s3:::kong', 's3.us-gov-west-1.amazonaws.com'],
])('the partition of %s', (region, bucket, service) => {
  const policy = iamPolicy('exporter', { ...STORAGE, region, kmsKeyId: 'k' });
  expect(policy.Statement[1]?.Resource).toEqual([bucket]);
  expect(last(policy)?.Condition?.['StringLike']).toEqual({ 'kms:ViaService': [service] });
});

it('an access point is named by its ARN', () => {
  const bucket = 'arn:aws:s3:eu-west-1:1:accesspoint/kong';
  const policy = iamPolicy('exporter', { ...STORAGE, bucket });
  expect(policy.Statement.map(({ Resource }) => Resource)).toEqual([[`${bucket}/object/fleet/*`], [bucket]]);
});

describe('from the command line', () => {
  const s3 = { use: 's3', bucket: 'kong', prefix: 'fleet', region: 'eu-west-1' };
  let site: Site;
  beforeEach(() => {
    site = new Site({ storages: [s3, { id: 'dr', use: 'file', path: 'store' }] });
  });
  afterEach(() => site.remove());
  const policy = (...flags: string[]) => run(['policy', ...flags], site.directory);

  it('settings without S3 have no policy', async () => {
    site.configure({ storages: [{ use: 'file', path: 'store' }] });
    const { code, stderr } = await policy('--role', 'reader');
    expect([code, stderr]).toEqual([2, expect.stringContaining('KF_POLICY_NO_S3')]);
    expect((await policy('--role', 'reader', '--storage', 'dr')).code).toBe(2);
  });

  it.each([[[]], [['--role', 'admin']]])('the role has to be said: %j', async (flags) => {
    expect(await policy(...flags)).toMatchObject({ code: 2, stdout: '' });
  });

  it('the document alone is on standard output, ready for aws iam create-policy', async () => {
    const { code, json, stderr } = await policy('--role', 'exporter');
    expect([code, stderr]).toEqual([0, '']);
    expect(json()).toEqual(iamPolicy('exporter', STORAGE));
  });

  it('several storages are several documents, told apart on standard error', async () => {
    site.configure({ storages: [s3, { ...s3, id: 'minio', endpoint: 'http://127.0.0.1:9' }] });
    const { stderr, stdout } = await policy('--role', 'reader');
    expect(stderr.trim().split('\n')).toHaveLength(2);
    expect(stderr).toContain('is not AWS');
    expect(stdout.match(/"Version"/g)).toHaveLength(2);
    const all = await policy('--role', 'reader', '--json');
    expect(all.json()).toMatchObject({ role: 'reader', policies: [{ storage: 's3' }, { storage: 'minio' }] });
    const one = await policy('--role', 'reader', '--storage', 'minio');
    expect(one.json()).toHaveProperty('Statement');
  });
});
