import * as z from 'zod';

const seconds = (most: number, usual: number, description: string) =>
  z.number().positive().max(most).default(usual).meta({ description });

const secret = (description: string) => z.string().min(1).optional().meta({ description, secret: true });

/** Key ARN, key id, alias ARN or `alias/…`, as KMS takes them. */
const keyId = z.string().regex(/^[A-Za-z0-9:/_-]{1,2048}$/, {
  error: 'must be the ARN of a key, its id, or an alias (alias/name)',
});

export const settings = z
  .strictObject({
    keyId: keyId.meta({
      description: 'The key that seals, and opens: its ARN, its id, or an alias (alias/name). Symmetric.',
    }),
    formerKeyIds: z
      .array(keyId)
      .max(15)
      .default([])
      .meta({ description: 'Keys that open what they sealed, and seal nothing any more.' }),
    region: z.string().min(1).optional().meta({
      description:
        "Default: that of the key's ARN, AWS_REGION, AWS_DEFAULT_REGION, ~/.aws/config; us-east-1 with an endpoint.",
    }),
    endpoint: z
      .url({ protocol: /^https?$/, error: 'expected https://host or https://host:port' })
      .refine((text) => !URL.canParse(text) || isPlain(new URL(text)), {
        error: 'expected no user, password, ? or # in it',
      })
      .optional()
      .meta({
        description:
          'Another address of KMS, such as a VPC endpoint. Default: AWS_ENDPOINT_URL_KMS, AWS_ENDPOINT_URL.',
      }),
    accessKeyId: z.string().min(1).optional().meta({
      description: "Default: the AWS SDK's chain (environment, files, web identity, Pod Identity, instance).",
    }),
    secretAccessKey: secret('Goes with accessKeyId.'),
    sessionToken: secret('For temporary credentials; they are not renewed.'),
    caFile: z.string().min(1).optional().meta({
      description:
        'PEM file of the CA certificates that are trusted, instead of the public ones. Default: AWS_CA_BUNDLE.',
    }),
    connectTimeoutSeconds: seconds(60, 2, 'Seconds until the connection stands, TLS included.'),
    requestTimeoutSeconds: seconds(60, 5, 'Seconds until a request is answered.'),
  })
  .refine((value) => (value.accessKeyId === undefined) === (value.secretAccessKey === undefined), {
    path: ['accessKeyId'],
    error: 'accessKeyId and secretAccessKey go together: set both or none',
  });

const isPlain = ({ hash, password, search, username }: URL): boolean =>
  `${username}${password}${search}${hash}` === '';

export type AwsKmsSettings = z.output<typeof settings>;
