import * as z from 'zod';

export const settings = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: 'expected http://host:port or https://host:port' })
    .refine((text) => new URL(text).username === '' && new URL(text).password === '', {
      error: 'expected no credentials in the URL: set token',
    })
    .default('http://127.0.0.1:8001')
    .meta({
      description: "Admin API of the node (admin_listen). Default: http://127.0.0.1:8001, Kong's own.",
    }),
  token: z
    .string()
    .regex(/^[\x21-\x7e]+$/, 'expected one word')
    .optional()
    .meta({ secret: true, description: 'Sent as Kong-Admin-Token, where RBAC asks for one. Default: none.' }),
  ca: z.string().min(1).optional().meta({
    description:
      'For https: PEM file with the certificate of the Admin API or of its CA, relative to the settings file. Default: the well-known CAs.',
  }),
  waitSeconds: z.number().min(0).max(3600).default(60).meta({
    description:
      'How long to wait for the Admin API to answer. Default: 60, a start of Kong on a busy machine.',
  }),
  loadSeconds: z.number().positive().max(3600).default(240).meta({
    description:
      'How long loading may take. Default: 240: a DB-less node takes 45 s for 100,000 entities on two cores.',
  }),
});

export type KongAdminSettings = z.output<typeof settings>;
