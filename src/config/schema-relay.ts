import * as z from 'zod';
import { hostPort, listen, seconds } from './schema-values.ts';

/** What stands between data planes and the control plane. */
export const relay = z
  .strictObject({
    listen: listen.optional().meta({
      description:
        'host:port that data planes dial instead of the control plane (their cluster_control_plane). The relay needs it.',
    }),
    form: z.enum(['service', 'sidecar']).default('service').meta({
      description:
        'service: a few replicas for all data planes, which admit them to a returning control plane by concurrency. sidecar: one beside each data plane; its health check opens no session, and it hands back at a random moment. Default: service.',
    }),
    listeners: z
      .array(
        z.strictObject({
          listen: listen.meta({ description: 'host:port to listen on.' }),
          to: hostPort.meta({ description: 'host:port that the bytes go to.' }),
        }),
      )
      .max(16)
      .default([])
      .meta({
        description:
          'Further ports passed through as they are, such as 8006 for the telemetry of Kong Enterprise. At most 16. Default: none.',
      }),
    certificate: z.string().min(1).optional().meta({
      description:
        'For pki: what the relay shows to data planes while it stands in; must carry the name that they check (cluster_server_name, else the host they dial). A path, a PEM, or base64 of a PEM. Default: controlPlane.certificate.',
    }),
    key: z.string().min(1).optional().meta({
      secret: true,
      description: 'Its private key: a path, a PEM, or base64 of a PEM. Default: controlPlane.key.',
    }),
    allowedCommonNames: z.array(z.string().min(1).max(253)).max(1024).default([]).meta({
      description:
        'For pki: common names of data planes that the stand-in serves (cluster_allowed_common_names of Kong). Default: every name that the CA issued.',
    }),
    tripSeconds: z.number().min(0.5).max(60).default(3).meta({
      description:
        'The control plane counts as down when no address completed TLS and the upgrade for so long. Default: 3; a data plane waits 5 for an answer.',
    }),
    stableSeconds: z.number().min(0.5).max(3600).default(10).meta({
      description:
        'It counts as back when it has answered for so long without a failure; doubles while it flaps. Default: 10.',
    }),
    maxStableSeconds: z.number().min(0.5).max(86_400).default(120).meta({
      description: 'The most that stableSeconds is doubled to. Default: 120.',
    }),
    handBackWindowSeconds: seconds(86_400).default(60).meta({
      description:
        'Sidecar form: the data plane is given back at a random moment within so long after the control plane came back. Default: 60.',
    }),
    drainSeconds: seconds(3600).default(30).meta({
      description:
        'When the relay stops, its data planes are let go one after the other over so long. Default: 30; give Kubernetes a longer terminationGracePeriodSeconds.',
    }),
    refreshSeconds: z.number().min(10).max(86_400).default(300).meta({
      description:
        'How often the heads are looked at while the control plane is up, each time half to one and a half of it; while it is down each minute. Default: 300: one conditional read for each version and storage.',
    }),
    cacheDirectory: z.string().min(1).default('/var/lib/kongfallback').meta({
      description:
        'Where the sealed copy is kept, so that a relay restarts without storage; a path relative to this file. Default: /var/lib/kongfallback.',
    }),
    minimumSequence: z.int().min(0).optional().meta({
      description: 'Refuse a head with a lower sequence, as of a bucket that was rolled back. Default: none.',
    }),
    maxConnections: z.int().min(1).max(100_000).default(4096).meta({
      description: 'Data planes at once; more are turned away. Default: 4096.',
    }),
  })
  .prefault({})
  .meta({
    description:
      'The relay: the address that data planes dial, which stands in while the control plane is down.',
  });
