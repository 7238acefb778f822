import type { PutObjectCommandInput } from '@aws-sdk/client-s3';
import * as z from 'zod';

const text = (description: string) => z.string().min(1).max(2048).optional().meta({ description });

/** An argument that is known and not taken, so that its refusal says why. `not` shows it in editors. */
const refused = (why: string) =>
  z
    .unknown()
    .refine((value) => value === undefined, { error: `is not taken: ${why}` })
    .optional()
    .meta({ description: `Not taken: ${why}.`, not: {} });

const ARCHIVE = 'expected a class that can be read at once: a new data plane cannot wait for an archive';
const OWN = 'kongfallback sets it itself';
const CHECKSUM = '`checksums` decides about checksums, and the SDK calculates them';
const CUSTOMER_KEY = 'nobody can read the object without the key; use serverSideEncryption';
const LOCK =
  'it locks this object, and the head is written again and again; set a default retention on the bucket';
const BROWSER = 'it says how a browser shows the object, and none reads this one';

/**
 * Every argument of PutObject, taken or refused. `satisfies` below fails the build when the SDK learns a new one.
 *
 * A new name here is a decision: it must change neither what is written, nor where, nor under which condition.
 */
const putObjectArguments = {
  ACL: text('Canned ACL: bucket-owner-full-control for a bucket of another account.'),
  GrantFullControl: text('Who gets all rights: id="…".'),
  GrantRead: text('Who may read the object.'),
  GrantReadACP: text("Who may read the object's ACL."),
  GrantWriteACP: text("Who may write the object's ACL."),
  StorageClass: z
    .string()
    .regex(/^(?!GLACIER$|DEEP_ARCHIVE$)[A-Z0-9_]{1,64}$/, ARCHIVE)
    .optional()
    .meta({ description: 'STANDARD_IA and the like; no archive, which cannot be read at once.' }),
  Tagging: text('Tags as in a query: team=platform&tier=0.'),
  BucketKeyEnabled: z.boolean().optional().meta({ description: 'S3 Bucket Key, fewer calls of KMS.' }),
  SSEKMSEncryptionContext: text('Encryption context of KMS: base64 of JSON.'),
  ExpectedBucketOwner: text('Account that must own the bucket, 12 digits.'),
  RequestPayer: z
    .enum(['requester'])
    .optional()
    .meta({ description: 'requester: this account pays for the request.' }),
  CacheControl: text('For a cache in front of the bucket; no-store is what fits.'),
  ContentType: text('Default: application/octet-stream.'),

  ServerSideEncryption: refused('set serverSideEncryption'),
  SSEKMSKeyId: refused('set kmsKeyId'),
  Bucket: refused('set bucket'),
  Key: refused('set prefix'),
  Body: refused(OWN),
  ContentLength: refused(OWN),
  IfMatch: refused(`${OWN}; conditions keep two exporters apart`),
  IfNoneMatch: refused(`${OWN}; conditions keep two exporters apart`),
  Metadata: refused('nothing reads it; use Tagging'),
  ContentMD5: refused(CHECKSUM),
  ChecksumAlgorithm: refused(CHECKSUM),
  ChecksumCRC32: refused(CHECKSUM),
  ChecksumCRC32C: refused(CHECKSUM),
  ChecksumCRC64NVME: refused(CHECKSUM),
  ChecksumMD5: refused(CHECKSUM),
  ChecksumSHA1: refused(CHECKSUM),
  ChecksumSHA256: refused(CHECKSUM),
  ChecksumSHA512: refused(CHECKSUM),
  ChecksumXXHASH3: refused(CHECKSUM),
  ChecksumXXHASH64: refused(CHECKSUM),
  ChecksumXXHASH128: refused(CHECKSUM),
  SSECustomerAlgorithm: refused(CUSTOMER_KEY),
  SSECustomerKey: refused(CUSTOMER_KEY),
  SSECustomerKeyMD5: refused(CUSTOMER_KEY),
  ObjectLockMode: refused(LOCK),
  ObjectLockRetainUntilDate: refused(LOCK),
  ObjectLockLegalHoldStatus: refused(LOCK),
  ObjectLockEventHold: refused(LOCK),
  ObjectLockEventHoldDurationDays: refused(LOCK),
  ObjectLockEventHoldDurationYears: refused(LOCK),
  ContentEncoding: refused('a cache or client would undo it, and the digest would not fit any more'),
  WriteOffsetBytes: refused('it appends, and an object is written whole'),
  ContentDisposition: refused(BROWSER),
  ContentLanguage: refused(BROWSER),
  WebsiteRedirectLocation: refused(BROWSER),
  Expires: refused(BROWSER),
} satisfies Record<keyof PutObjectCommandInput, z.ZodType>;

export const putObject = z.strictObject(putObjectArguments);
