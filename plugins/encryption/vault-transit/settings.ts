import * as z from 'zod';

/** A path of Vault without its slashes at the ends: `transit`, `teams/kong/transit`. */
const path = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*(\/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$/, {
    error: 'must be a path such as transit',
  })
  .max(128);

const name = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/, { error: 'must be a name such as kong-fallback' });

const auth = z.union(
  [
    z.strictObject({
      token: z
        .string()
        .trim()
        .regex(/^[\x21-\x7e]+$/)
        .meta({ secret: true, description: 'A token, which somebody else renews.' }),
    }),
    z.strictObject({
      tokenFile: z.string().min(1).meta({
        description: 'File with a token, as Vault Agent keeps one. Read again when the token is refused.',
      }),
    }),
    z.strictObject({
      kubernetes: z.strictObject({
        role: z.string().min(1).max(256).meta({ description: 'Role of the Kubernetes auth method.' }),
        mount: path
          .default('kubernetes')
          .meta({ description: 'Path of the auth method. Default: kubernetes.' }),
        jwtFile: z.string().min(1).default('/var/run/secrets/kubernetes.io/serviceaccount/token').meta({
          description: "File with the service account's token. Default: where Kubernetes mounts it.",
        }),
      }),
    }),
  ],
  { error: 'expected one of { token }, { tokenFile } and { kubernetes: { role } }' },
);

export const settings = z.strictObject({
  address: z
    .url({ protocol: /^https?$/, error: 'expected https://host:port' })
    .refine((text) => !URL.canParse(text) || isPlain(new URL(text)), {
      error: 'expected no user, password, ? or # in it',
    })
    .meta({ description: 'https://host:port of Vault or OpenBao: the active node, or what balances to it.' }),
  mount: path.default('transit').meta({ description: 'Path of the transit engine. Default: transit.' }),
  key: name.meta({
    description: 'Name of the transit key, of type aes256-gcm96, aes128-gcm96 or chacha20-poly1305.',
  }),
  namespace: path
    .optional()
    .meta({ description: 'Namespace of Vault Enterprise or OpenBao. Default: none.' }),
  auth: auth.meta({
    description: 'One of { token }, { tokenFile } and { kubernetes: { role, mount, jwtFile } }.',
  }),
  caFile: z.string().min(1).optional().meta({
    description:
      'PEM file with the certificate of the CA of the server, relative to the settings file. Default: the well-known CAs.',
  }),
  requestTimeoutSeconds: z.number().positive().max(60).default(5).meta({
    description: 'Seconds until a request is answered, its connection included.',
  }),
});

const isPlain = ({ hash, password, search, username }: URL): boolean =>
  `${username}${password}${search}${hash}` === '';

export type VaultAuth = z.output<typeof auth>;
