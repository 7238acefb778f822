import * as z from 'zod';
import { bootstrap } from './schema-bootstrap.ts';
import { entry, storage } from './schema-entries.ts';
import { exporting } from './schema-export.ts';
import { relay } from './schema-relay.ts';
import { cron, gatewayVersion, hostPort, listen, name } from './schema-values.ts';

// The settings file. Every default and limit names its source in its description; the descriptions are what
// editors show and what settings.schema.json carries.

/** Characters of the longest string of V8 on 64-bit machines: (1 << 29) - 24. */
const LONGEST_STRING = 536_870_888;

const controlPlane = z
  .strictObject({
    address: z
      .union([hostPort, z.array(hostPort).min(1).max(16)], {
        error: 'expected host:port, or a list of them that is tried in order',
      })
      .meta({
        description:
          "cluster_listen of the control plane as host:port; a list is tried in order. Default port: 8005, Kong's own.",
      }),
    certificate: z.string().min(1).meta({
      description:
        'Cluster certificate (cluster_cert of Kong): a path relative to this file, a PEM, or base64 of a PEM.',
    }),
    key: z.string().min(1).meta({
      secret: true,
      description:
        'Its private key (cluster_cert_key of Kong): a path relative to this file, a PEM, or base64 of a PEM.',
    }),
    mtls: z.enum(['shared', 'pki']).default('shared').meta({
      description:
        'cluster_mtls of Kong. shared: both sides hold the same certificate. pki: certificates of one CA. Default: shared, as in Kong.',
    }),
    ca: z.string().min(1).optional().meta({
      description:
        'For pki: the CA certificate (cluster_ca_cert of Kong): a path, a PEM, or base64 of a PEM.',
    }),
    serverName: z.string().min(1).max(253).optional().meta({
      description:
        'For pki: the name to find in the control plane certificate (cluster_server_name of Kong). Default: the host of the address.',
    }),
  })
  .meta({ description: 'How to reach the control plane.' });

const signing = z
  .strictObject({
    publicKeys: z.array(z.string().min(1)).min(1).max(16).optional().meta({
      description:
        'Ed25519 public keys, as `kongfallback keygen` prints them; a head must be signed by one of them. Absent: unsigned heads are accepted, with a warning.',
    }),
    privateKey: z.string().min(1).optional().meta({
      secret: true,
      description:
        'Ed25519 private key of the exporter. Absent: heads are published unsigned, with a warning.',
    }),
  })
  .prefault({})
  .meta({ description: 'Signature of the head, the trust root. Readers need public keys only.' });

export const settingsSchema = z
  .strictObject({
    cluster: name('the name of the fleet').meta({
      description:
        'Names the fleet; bound into every signed head, so that the snapshot of another fleet is refused.',
    }),
    controlPlane: controlPlane.optional(),
    gatewayVersions: z.array(gatewayVersion).max(64).default([]).meta({
      description:
        'Exact gateway versions to keep a line of snapshots for; the exporter opens one session for each.',
    }),
    source: entry('source').default('kong-hybrid').meta({
      description: 'Where the exporter gets configurations from. Default: kong-hybrid.',
    }),
    storages: z.array(storage).min(1, 'expected at least one storage').max(16).meta({
      description: 'Object stores; the exporter writes to all, a reader tries them in order. At most 16.',
    }),
    encryption: z
      .union([entry('encryption'), z.array(entry('encryption')).min(1).max(16)], {
        error: ({ input }) =>
          input === undefined
            ? 'is required: name how snapshots are encrypted, such as { use: aes-gcm, keys: […] }, or write { use: none } to store them readable'
            : 'expected a plugin, { use: name, … }, or a list of them',
      })
      .meta({
        description:
          'How snapshots are encrypted. Of a list the first seals and each may open. Has no default: { use: none } must be written down.',
      }),
    signing,
    validators: z
      .array(entry('validator'))
      .max(32)
      .default(['kong-schema', 'shrinkage', 'expiry', 'limits', 'outage-readiness'])
      .meta({
        description:
          'What judges a configuration before it is published. Default: kong-schema, shrinkage, expiry, limits and outage-readiness.',
      }),
    export: exporting,
    bootstrap,
    relay,
    service: z
      .strictObject({
        listen: z
          .union([z.literal('off'), listen], { error: 'expected host:port to listen on, or off' })
          .default('127.0.0.1:8010')
          .meta({
            description:
              'host:port of health, metrics and status, or off. Default: 127.0.0.1:8010, this machine only.',
          }),
        drillSchedule: cron('30 4 * * *').optional().meta({
          description:
            'When a long-running exporter restores from each storage into a scratch file, to prove that it works (cron, UTC). It reads the whole snapshot each time. Default: never.',
        }),
      })
      .prefault({})
      .meta({ description: 'The HTTP endpoints of a long-running process.' }),
    log: z
      .strictObject({
        level: z.enum(['debug', 'info', 'warn', 'error']).default('info').meta({
          description: 'Least severe line written. Default: info.',
        }),
      })
      .prefault({})
      .meta({ description: 'The log.' }),
    limits: z
      .strictObject({
        maxDocumentBytes: z.int().min(1024).max(LONGEST_STRING).default(LONGEST_STRING).meta({
          description:
            'Largest configuration document, uncompressed. Default and maximum: 536870888, the longest string of V8, which is what JSON.parse can take.',
        }),
        maxSealedBytes: z.int().min(1024).max(553_648_128).default(553_648_128).meta({
          description:
            "Largest stored snapshot. Default and maximum: 553648128, that is 512 MiB and 16 MiB for gzip's worst case, a tag for each 64 KiB and the envelope.",
        }),
      })
      .prefault({})
      .meta({ description: 'Bounds on what is read from outside.' }),
  })
  .meta({ title: 'kongfallback settings' });

export type SettingsInput = z.input<typeof settingsSchema>;
export type ParsedSettings = z.output<typeof settingsSchema>;

/** The core's part as JSON Schema (draft 2020-12); `pluginKind` marks plugin entries, `secret` secret values. */
export const settingsJsonSchema = (): Record<string, unknown> =>
  z.toJSONSchema(settingsSchema, { io: 'input', target: 'draft-2020-12' });
