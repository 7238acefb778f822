import { definePlugin } from 'kongfallback/plugin';
import * as z from 'zod';
import { AgeEncryption } from './age-encryption.ts';

const word = (pattern: RegExp, error: string) => z.string().trim().regex(pattern, { error });

/** The whole snapshot as an age file: who holds a recipient's identity opens it, also with the age command alone. */
export default definePlugin({
  kind: 'encryption',
  name: 'age',
  settings: z
    .strictObject({
      recipients: z
        .array(
          word(/^age1(pq1)?[02-9ac-hj-np-z]+$/, 'must be a recipient, age1…, as `age-keygen -y` prints it'),
        )
        .max(16)
        .optional()
        .meta({
          description:
            'Who can open what is sealed: age1…. An exporter needs only these, and cannot read what it wrote.',
        }),
      identities: z
        .array(
          word(
            /^AGE-SECRET-KEY-(PQ-)?1[02-9AC-HJ-NP-Z]+$/,
            'must be an identity, AGE-SECRET-KEY-1…: the last line of what `age-keygen` writes',
          ).meta({ secret: true }),
        )
        .max(16)
        .optional()
        .meta({
          secret: true,
          description: 'AGE-SECRET-KEY-1…; any of them opens. Only readers need these.',
        }),
    })
    .refine(({ recipients = [], identities = [] }) => recipients.length + identities.length > 0, {
      error: 'set recipients (to seal), identities (to open) or both',
    }),
  create: ({ recipients = [], identities = [] }, context) =>
    AgeEncryption.create({ recipients, identities }, context),
});
