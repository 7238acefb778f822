import { definePlugin } from 'kongfallback/plugin';
import * as z from 'zod';
import { DEFAULT_MAX_PAYLOAD_BYTES, DEFAULT_SILENCE_MS } from '#kong';
import { KongHybridSource } from './kong-hybrid-source.ts';

/** Receives configurations from a control plane as a data plane does. */
export default definePlugin({
  kind: 'source',
  name: 'kong-hybrid',
  settings: z.strictObject({
    plugins: z.array(z.string().min(1).max(128)).max(1000).optional().meta({
      description:
        'Names of all plugins that the data planes have, custom ones included. Default: those that come with the gateway version.',
    }),
    additionalPlugins: z
      .array(z.string().min(1).max(128))
      .max(1000)
      .default([])
      .meta({ description: 'Names of custom plugins, added to the above.' }),
    silenceSeconds: z
      .number()
      .positive()
      .max(86_400)
      .default(DEFAULT_SILENCE_MS / 1000)
      .meta({
        description: 'A control plane that is connected but sends no configuration for so long is reported.',
      }),
    maxPayloadBytes: z
      .int()
      .min(1024)
      .max(2 ** 30)
      .default(DEFAULT_MAX_PAYLOAD_BYTES)
      .meta({
        description:
          'Largest configuration received, compressed; as cluster_max_payload of the control plane.',
      }),
    labels: z
      .record(z.string().min(1).max(63), z.string().min(1).max(63))
      .default({ 'kongfallback-role': 'exporter' })
      .meta({
        description: 'Shown beside this exporter in the control plane list of data planes (3.3 and later).',
      }),
    nodeId: z.uuid().optional().meta({
      description: 'Its id in that list, for a single gateway version. Default: calculated, stable.',
    }),
  }),
  create: (settings, context) => new KongHybridSource(settings, context),
});
