import { z } from 'zod';
import type { PluginCatalogue } from '../../../src/config/index.ts';
import { FallbackError } from '../../../src/errors/index.ts';
import type { Plugin, PluginKind, StandardSchema } from '../../../src/plugin/index.ts';

const nothing = z.strictObject({});
const path = z.strictObject({ path: z.string() });
const SCHEMAS: Readonly<Record<string, StandardSchema>> = {
  'storage file': path,
  'storage s3': z.strictObject({
    bucket: z.string(),
    secretAccessKey: z.string().meta({ secret: true }).optional(),
    maxAttempts: z.int().default(1),
    forcePathStyle: z.boolean().optional(),
    tags: z.array(z.string()).optional(),
  }),
  'encryption none': nothing,
  'encryption aes-gcm': z.strictObject({ keys: z.array(z.string().min(8)).min(1).meta({ secret: true }) }),
  'validator kong-schema': nothing,
  'validator shrinkage': z.strictObject({ maxShrinkPercent: z.number().max(100).default(50) }),
  'validator expiry': nothing,
  'validator limits': nothing,
  'validator outage-readiness': nothing,
  'source kong-hybrid': nothing,
  'source file': path,
  'target file': path,
  'storage opaque': { '~standard': { version: 1, vendor: 'hand-written', validate: (value) => ({ value }) } },
  'storage throwing': {
    '~standard': {
      version: 1,
      vendor: 'hand-written',
      validate: () => {
        throw new Error('half-written plugin');
      },
    },
  },
};

/** A catalogue of plugins that are schemas only; remembers what was asked for. */
export function fakeCatalogue(): PluginCatalogue & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    resolve: async (kind: PluginKind, use: string) => {
      asked.push(`${kind} ${use}`);
      const settings = SCHEMAS[`${kind} ${use}`];
      if (settings === undefined) {
        throw new FallbackError('invalid', 'KF_PLUGIN_NOT_FOUND', `${kind} plugin ${use} was not found`);
      }
      const plugin = { kind, name: use, settings, create: () => ({}) } as unknown as Plugin;
      return { plugin, reference: { kind, use, url: null } };
    },
  };
}
