// The rights that one s3 storage needs, and no more, in the form of AWS IAM. Pure.

export type PolicyRole = 'exporter' | 'reader';

/** Of a storage entry whose plugin is the built-in s3. */
export interface S3Storage {
  readonly prefix: string;
  readonly bucket: string;
  /** Undefined: not told anywhere. */
  readonly region: string | undefined;
  readonly serverSideEncryption: string | undefined;
  readonly kmsKeyId: string | undefined;
  /** More arguments of PutObject, by the names of AWS. */
  readonly putObject: Readonly<Record<string, unknown>>;
}

export interface PolicyStatement {
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

export interface IamPolicy {
  readonly Version: '2012-10-17';
  readonly Statement: readonly PolicyStatement[];
}

const ACL_ARGUMENTS = ['ACL', 'GrantFullControl', 'GrantRead', 'GrantReadACP', 'GrantWriteACP'];

export function iamPolicy(role: PolicyRole, storage: S3Storage): IamPolicy {
  const objects = (below: string): string => `${objectsArn(storage)}/${under(storage, below)}`;
  const statements: PolicyStatement[] =
    role === 'reader'
      ? [allow('ReadHeadsAndSnapshots', ['s3:GetObject'], [objects('*/head.json'), objects('*/snapshots/*')])]
      : [
          allow('ReadAndWrite', ['s3:GetObject', ...writing(storage), 's3:DeleteObject'], [objects('*')]),
          {
            ...allow('ListForRetention', ['s3:ListBucket'], [bucketArn(storage)]),
            // Beside listings, AWS holds this against the key of an object that is asked for and missing: with the right
            // to list it the answer is 404, without it 403.
            ...(storage.prefix !== '' && {
              Condition: { StringLike: { 's3:prefix': [under(storage, '*')] } },
            }),
          },
        ];
  return { Version: '2012-10-17', Statement: [...statements, ...keyStatements(role, storage)] };
}

function writing({ putObject }: S3Storage): string[] {
  const gives = (name: string): boolean => putObject[name] !== undefined;
  return [
    's3:PutObject',
    ...(ACL_ARGUMENTS.some(gives) ? ['s3:PutObjectAcl'] : []),
    ...(gives('Tagging') ? ['s3:PutObjectTagging'] : []),
  ];
}

/** The account's own key for S3 (no kmsKeyId) is allowed to whoever may use the bucket. */
function keyStatements(role: PolicyRole, storage: S3Storage): PolicyStatement[] {
  const { kmsKeyId, region = '*' } = storage;
  if (kmsKeyId === undefined || kmsKeyId === 'alias/aws/s3') return [];
  const actions = role === 'reader' ? ['kms:Decrypt'] : ['kms:Decrypt', 'kms:GenerateDataKey'];
  const any = `arn:${partition(storage)}:kms:${region}:*:key`;
  const alias = /^(?:arn:[^:]+:kms:[^:]*:[^:]*:)?(alias\/.+)$/.exec(kmsKeyId)?.[1];
  const key = kmsKeyId.startsWith('arn:') ? kmsKeyId : `${any}/${kmsKeyId}`;
  const through = {
    'kms:ViaService': [`s3.${region}.amazonaws.com${partition(storage) === 'aws-cn' ? '.cn' : ''}`],
  };
  return [
    {
      ...allow('KeyOfTheBucket', actions, [alias === undefined ? key : `${any}/*`]),
      Condition: {
        StringLike: through,
        // A policy cannot name a key by its alias.
        ...(alias !== undefined && { 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': [alias] } }),
      },
    },
  ];
}

const allow = (sid: string, actions: readonly string[], resources: readonly string[]): PolicyStatement => ({
  Sid: sid,
  Effect: 'Allow',
  Action: actions,
  Resource: resources,
});

const under = ({ prefix }: S3Storage, below: string): string =>
  prefix === '' ? below : `${prefix}/${below}`;

/** `bucket` may be the ARN of an access point. */
const bucketArn = (storage: S3Storage): string =>
  storage.bucket.startsWith('arn:') ? storage.bucket : `arn:${partition(storage)}:s3:::${storage.bucket}`;

const objectsArn = (storage: S3Storage): string =>
  storage.bucket.startsWith('arn:') ? `${storage.bucket}/object` : bucketArn(storage);

function partition({ region = '' }: S3Storage): string {
  if (region.startsWith('cn-')) return 'aws-cn';
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
}
