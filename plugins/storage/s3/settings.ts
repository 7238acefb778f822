import * as z from 'zod';
import { putObject } from './put-object-settings.ts';

const secret = (description: string) => z.string().min(1).optional().meta({ description, secret: true });

/** An http or https URL of a server: nothing in it that would be a secret, or would be left out silently. */
const server = (allowed: { readonly path: boolean }) =>
  z
    .url({ protocol: /^https?$/, error: 'expected http://host:port or https://host:port' })
    .refine((value) => plain(value, allowed.path), {
      error: `expected no user, password, ? or #${allowed.path ? '' : ', and no path'} in it`,
    });

function plain(value: string, path: boolean): boolean {
  // What is no URL at all has been reported by then.
  if (!URL.canParse(value)) return true;
  const { hash, password, pathname, search, username } = new URL(value);
  return `${username}${password}${search}${hash}` === '' && (path || pathname === '/');
}

const seconds = (most: number, usual: number, description: string) =>
  z.number().positive().max(most).default(usual).meta({ description });

export const settings = z
  .strictObject({
    bucket: z.string().min(1).meta({ description: 'Name of the bucket; it must exist.' }),
    region: z.string().min(1).optional().meta({
      description: 'Default: AWS_REGION, AWS_DEFAULT_REGION, ~/.aws/config; us-east-1 with an endpoint.',
    }),
    endpoint: server({ path: true })
      .optional()
      .meta({
        description:
          'Another server than AWS: https://minio.internal:9000. Default: AWS_CONFIG_STORAGE_ENDPOINT, ' +
          'AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL.',
      }),
    forcePathStyle: z
      .boolean()
      .optional()
      .meta({ description: 'Bucket in the path, not in the host name. Default: true with an endpoint.' }),
    accessKeyId: z.string().min(1).optional().meta({
      description: "Default: the AWS SDK's chain (environment, files, web identity, Pod Identity, instance).",
    }),
    secretAccessKey: secret('Goes with accessKeyId.'),
    sessionToken: secret('For temporary credentials; they are not renewed.'),
    caFile: z.string().min(1).optional().meta({
      description:
        'PEM file of the CA certificates that are trusted, instead of the public ones. Default: AWS_CA_BUNDLE.',
    }),
    proxy: z
      .union([z.literal('none'), server({ path: false })], {
        error: 'expected http://host:port, https://host:port without user and password, or none',
      })
      .optional()
      .meta({
        description:
          'http(s)://host:port of a proxy that tunnels (CONNECT), or none. Default: HTTPS_PROXY (HTTP_PROXY for an ' +
          'http endpoint) and NO_PROXY of the environment.',
      }),
    proxyCredentials: z
      .string()
      .regex(/^[^:]+:/, 'expected user:password')
      .optional()
      .meta({ description: 'user:password for `proxy`.', secret: true }),
    checksums: z
      .enum(['when-supported', 'when-required'])
      .default('when-supported')
      .meta({ description: 'when-required for servers that do not know CRC32 checksums.' }),
    serverSideEncryption: z
      .enum(['AES256', 'aws:kms', 'aws:kms:dsse'])
      .optional()
      .meta({ description: 'Sent with every write, for buckets whose policy asks for it.' }),
    kmsKeyId: z.string().min(1).optional().meta({ description: 'Key for serverSideEncryption aws:kms.' }),
    putObject,
    writeIntervalSeconds: z.number().min(0).max(5).optional().meta({
      description:
        'Seconds between two writes of one key. Default: 0; 1 at Cloudflare R2, whose limit that is.',
    }),
    connectTimeoutSeconds: seconds(300, 5, 'Seconds until the connection stands, proxy and TLS included.'),
    requestTimeoutSeconds: seconds(3600, 60, 'Seconds until a request is answered, its upload included.'),
    idleTimeoutSeconds: seconds(3600, 30, 'Seconds without a byte on a connection.'),
  })
  .refine((value) => (value.accessKeyId === undefined) === (value.secretAccessKey === undefined), {
    path: ['accessKeyId'],
    error: 'accessKeyId and secretAccessKey go together: set both or none',
  })
  .refine((value) => value.proxyCredentials === undefined || (value.proxy ?? 'none') !== 'none', {
    path: ['proxyCredentials'],
    error: 'goes with proxy, which is not set',
  })
  .refine((value) => value.kmsKeyId === undefined || value.serverSideEncryption?.startsWith('aws:kms'), {
    path: ['kmsKeyId'],
    error: 'goes with serverSideEncryption: aws:kms or aws:kms:dsse',
  });

export type S3Settings = z.output<typeof settings>;
