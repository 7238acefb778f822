import * as z from 'zod';

const secret = (description: string) => z.string().min(1).optional().meta({ description, secret: true });

export const settings = z
  .strictObject({
    bucket: z.string().min(1).meta({ description: 'Name of the bucket; it must exist.' }),
    region: z.string().min(1).optional().meta({
      description: 'Default: AWS_REGION, AWS_DEFAULT_REGION, ~/.aws/config; us-east-1 with an endpoint.',
    }),
    endpoint: z
      .url()
      .optional()
      .meta({ description: 'Another server than AWS: https://minio.internal:9000.' }),
    forcePathStyle: z
      .boolean()
      .optional()
      .meta({ description: 'Bucket in the path, not in the host name. Default: true with an endpoint.' }),
    accessKeyId: z.string().min(1).optional().meta({
      description: "Default: the AWS SDK's chain (environment, files, web identity, instance role).",
    }),
    secretAccessKey: secret('Goes with accessKeyId.'),
    sessionToken: secret('For temporary credentials.'),
    checksums: z
      .enum(['when-supported', 'when-required'])
      .default('when-supported')
      .meta({ description: 'when-required for servers that do not know CRC32 checksums.' }),
    serverSideEncryption: z
      .enum(['AES256', 'aws:kms', 'aws:kms:dsse'])
      .optional()
      .meta({ description: 'Sent with every write, for buckets whose policy asks for it.' }),
    kmsKeyId: z.string().min(1).optional().meta({ description: 'Key for serverSideEncryption aws:kms.' }),
    connectTimeoutSeconds: z
      .number()
      .positive()
      .max(300)
      .default(5)
      .meta({ description: 'Seconds until the connection stands, TLS included.' }),
    requestTimeoutSeconds: z
      .number()
      .positive()
      .max(3600)
      .default(60)
      .meta({ description: 'Seconds until a request is answered, its upload included.' }),
    idleTimeoutSeconds: z
      .number()
      .positive()
      .max(3600)
      .default(30)
      .meta({ description: 'Seconds without a byte on a connection.' }),
  })
  .refine((value) => (value.accessKeyId === undefined) === (value.secretAccessKey === undefined), {
    path: ['accessKeyId'],
    error: 'accessKeyId and secretAccessKey go together: set both or none',
  });

export type S3Settings = z.output<typeof settings>;
