import type { PutObjectCommandInput } from '@aws-sdk/client-s3';
import * as z from 'zod';

const text = (description: string) => z.string().min(1).max(2048).optional().meta({ description });

const ARCHIVE = 'expected a class that can be read at once: a new data plane cannot wait for an archive';

/** A new name here is a decision: it must change neither what is written, nor where, nor under which condition. */
const TAKEN = {
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
};

const OWN = 'kongfallback sets it itself';
const CONDITION = 'kongfallback sets it itself; conditions keep two exporters apart';
const CHECKSUM = '`checksums` decides about checksums, and the SDK calculates them';
const CUSTOMER_KEY = 'nobody can read the object without the key; use serverSideEncryption';
const LOCK =
  'it locks this object, and the head is written again and again; set a default retention on the bucket';
const BROWSER = 'it says how a browser shows the object, and none reads this one';

/** All others, and why not. The type fails the build when the SDK learns a new one. */
const REFUSED: Readonly<Record<Exclude<keyof PutObjectCommandInput, keyof typeof TAKEN>, string>> = {
  ServerSideEncryption: 'set serverSideEncryption',
  SSEKMSKeyId: 'set kmsKeyId',
  Bucket: 'set bucket',
  Key: 'set prefix',
  Body: OWN,
  ContentLength: OWN,
  IfMatch: CONDITION,
  IfNoneMatch: CONDITION,
  Metadata: 'nothing reads it; use Tagging',
  ContentMD5: CHECKSUM,
  ChecksumAlgorithm: CHECKSUM,
  ChecksumCRC32: CHECKSUM,
  ChecksumCRC32C: CHECKSUM,
  ChecksumCRC64NVME: CHECKSUM,
  ChecksumMD5: CHECKSUM,
  ChecksumSHA1: CHECKSUM,
  ChecksumSHA256: CHECKSUM,
  ChecksumSHA512: CHECKSUM,
  ChecksumXXHASH3: CHECKSUM,
  ChecksumXXHASH64: CHECKSUM,
  ChecksumXXHASH128: CHECKSUM,
  SSECustomerAlgorithm: CUSTOMER_KEY,
  SSECustomerKey: CUSTOMER_KEY,
  SSECustomerKeyMD5: CUSTOMER_KEY,
  ObjectLockMode: LOCK,
  ObjectLockRetainUntilDate: LOCK,
  ObjectLockLegalHoldStatus: LOCK,
  ObjectLockEventHold: LOCK,
  ObjectLockEventHoldDurationDays: LOCK,
  ObjectLockEventHoldDurationYears: LOCK,
  ContentEncoding: 'a cache or client would undo it, and the digest would not fit any more',
  WriteOffsetBytes: 'it appends, and an object is written whole',
  ContentDisposition: BROWSER,
  ContentLanguage: BROWSER,
  WebsiteRedirectLocation: BROWSER,
  Expires: BROWSER,
};

/**
 * Loose for zod, which would refuse other names without saying why, and closed for whoever reads the JSON Schema. The
 * refused ones have no schemas of their own: making them would take a tenth of a command's time.
 */
export const putObject = z
  .looseObject(TAKEN)
  .superRefine((given, context) => {
    for (const name of Object.keys(given)) {
      if (Object.hasOwn(TAKEN, name)) continue;
      if (Object.hasOwn(REFUSED, name)) {
        const why = REFUSED[name as keyof typeof REFUSED];
        context.addIssue({ code: 'custom', path: [name], message: `is not taken: ${why}` });
      } else context.addIssue({ code: 'unrecognized_keys', keys: [name], input: given });
    }
  })
  .optional()
  .meta({
    description: 'More arguments of every PutObject request, by the names that AWS gives them.',
    additionalProperties: false,
  });
