import * as z from 'zod';
import { entry, storage } from './schema-entries.ts';
import { relay } from './schema-relay.ts';
import { gatewayVersion, hostPort, listen, name, seconds } from './schema-values.ts';

// The settings file. Every default and limit names its source in its description; the descriptions are what
// editors show and what settings.schema.json carries.

/** Characters of the longest string of V8 on 64-bit machines: (1 << 29) - 24. */
const LONGEST_STRING = 536_870_888;

const CRON = /^\S+( +\S+){4,5}$/;

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

const exporting = z
  .strictObject({
    delaySeconds: seconds(3600).default(5).meta({
      description:
        "Quiet time after a change before it is published, which gathers a burst into one snapshot. Default: 5, Kong's own db_update_frequency.",
    }),
    confirmSchedule: z
      .string()
      .regex(
        CRON,
        'expected a cron expression of five fields (six with seconds), in UTC, such as "*/10 * * * *"',
      )
      .default('*/10 * * * *')
      .meta({
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

const bootstrap = z
  .strictObject({
    cacheDirectory: z.string().min(1).default('/var/lib/kongfallback').meta({
      description:
        'Where a fetched snapshot is kept, sealed; a path relative to this file. Default: /var/lib/kongfallback.',
    }),
    waitSeconds: seconds(86_400).default(60).meta({
      description:
        'How long a new node keeps trying control plane and storage before it starts without either; 0 tries once, as --once does. Default: 60.',
    }),
    probeSeconds: z.number().min(1).max(600).default(10).meta({
      description:
        'The control plane counts as unreachable when it has sent no configuration within this time. Default: 10: a control plane pushes within 3 s of connecting, large configurations included.',
    }),
    gatewayVersion: gatewayVersion.optional().meta({
      description:
        'Exact version of this data plane. Default: what `kong version` says, else the only one in gatewayVersions.',
    }),
    maxAgeSeconds: z.int().min(1).max(315_360_000).optional().meta({
      description:
        'Refuse a head whose exporter has not written for longer. Default: no limit, availability first.',
    }),
    minimumSequence: z.int().min(0).optional().meta({
      description:
        'Refuse a head with a lower sequence; protects a new node from a rolled-back bucket. Default: none.',
    }),
    kongPrefix: z.string().min(1).optional().meta({
      description:
        'prefix of Kong on this node; a node whose LMDB there holds a usable configuration is left alone. A path relative to this file. Default: KONG_PREFIX, else /usr/local/kong, as Kong is built.',
    }),
    lmdbEnvironmentPath: z.string().min(1).optional().meta({
      description:
        'lmdb_environment_path of Kong, relative to the prefix. Default: KONG_LMDB_ENVIRONMENT_PATH, else dbless.lmdb, as in Kong.',
    }),
    watchSeconds: z.number().min(1).max(86_400).default(60).meta({
      description:
        'While a node runs on a snapshot, how often the control plane is asked whether it is back; half of it to one and a half times, at random. Default: 60: each question makes it send its configuration.',
    }),
    target: entry('target').optional().meta({ description: 'What is done with the restored document.' }),
  })
  .prefault({})
  .meta({ description: 'A new data plane.' });

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
        drillSchedule: z
          .string()
          .regex(
            CRON,
            'expected a cron expression of five fields (six with seconds), in UTC, such as "30 4 * * *"',
          )
          .optional()
          .meta({
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
