import * as z from 'zod';
import { cron, seconds } from './schema-values.ts';

const keep = z
  .strictObject({
    last: z.int().min(1).max(200).default(20).meta({
      description:
        'Newest snapshots kept of each line. At most 200. Default: 20, a working day of hourly changes twice over.',
    }),
    hourly: z.int().min(0).max(168).default(24).meta({
      description: 'Hours of which the newest snapshot is kept. At most 168. Default: 24, one day.',
    }),
    daily: z.int().min(0).max(120).default(14).meta({
      description: 'Days of which the newest snapshot is kept. At most 120. Default: 14, two weeks.',
    }),
  })
  .prefault({})
  .meta({
    description:
      'Retention; a snapshot that any rule keeps is kept. A head holds 512 snapshots at most (FORMAT.md), more than the three limits together.',
  });

/** How configurations get into the stores, and how long they stay. */
export const exporting = z
  .strictObject({
    delaySeconds: seconds(3600).default(5).meta({
      description:
        "Quiet time after a change before it is published, which gathers a burst into one snapshot. Default: 5, Kong's own db_update_frequency.",
    }),
    confirmSchedule: cron('*/10 * * * *').default('*/10 * * * *').meta({
      description:
        'When to ask the control plane again for what is published (cron, UTC). Default: every 10 minutes, 144 head writes a day for each line and store.',
    }),
    keep,
    evidenceMarginSeconds: seconds(300).default(4).meta({
      description:
        'How much newer evidence must be to replace the head of another exporter. Must exceed the export time of the control plane by 2 s, the granularity of two Date headers. Default: 4, by simulation.',
    }),
    successPolicy: z.enum(['any', 'all']).default('any').meta({
      description: 'Publishing counts as done when any store has it, or only when all have. Default: any.',
    }),
    instance: z
      .string()
      .regex(
        /^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/,
        'expected a host name: letters, digits, dots, dashes, underscores',
      )
      .optional()
      .meta({
        description:
          "Name of this exporter in heads and in the control plane's list. Default: the host name.",
      }),
  })
  .prefault({})
  .meta({ description: 'The exporter.' });
