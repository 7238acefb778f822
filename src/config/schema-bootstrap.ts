import * as z from 'zod';
import { entry } from './schema-entries.ts';
import { gatewayVersion, seconds } from './schema-values.ts';

/** How a new data plane comes to its configuration. */
export const bootstrap = z
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
