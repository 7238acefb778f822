import * as z from 'zod';
import type { PluginKind } from '../plugin/plugin.ts';

const PREFIX = /^([A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*)?$/;

const entryFields = {
  use: z.string().min(1).max(512).meta({
    description:
      'The plugin: a built-in name, kongfallback-<kind>-<name> by its short name, a package, or a path relative to this file.',
  }),
  id: z.string().min(1).max(128).optional().meta({
    description:
      'Name of this instance in logs, metrics and breakers; unique among its kind. Default: the value of use.',
  }),
};

/** A plugin: its name, or its name with settings. `pluginKind` marks the place for everything that reads the schema. */
export const entry = (kind: PluginKind, fields: z.ZodRawShape = {}) =>
  z
    .union([z.string().min(1).max(512), z.looseObject({ ...entryFields, ...fields })], {
      error: 'expected a plugin: a name, or { use: name, … }',
    })
    .meta({ pluginKind: kind });

export const storage = entry('storage', {
  prefix: z
    .string()
    .max(256)
    .regex(
      PREFIX,
      'expected letters, digits, dots, dashes, underscores and single slashes, without one at either end',
    )
    .refine((text) => !text.split('/').some((part) => part === '.' || part === '..'), {
      error: 'expected no part that is . or ..',
    })
    .default('')
    .meta({ description: 'Put before every key; one per fleet in a shared bucket. Default: none.' }),
  singleWriter: z.boolean().default(false).meta({
    description:
      'Accept a store without conditional writes; then exactly one exporter may write to it. Default: false.',
  }),
});

/** Keys of a plugin entry that are the core's; everything else in it is the plugin's. */
export const ENTRY_KEYS: Readonly<Record<PluginKind, readonly string[]>> = {
  storage: ['use', 'id', 'prefix', 'singleWriter'],
  encryption: ['use', 'id'],
  validator: ['use', 'id'],
  source: ['use', 'id'],
  target: ['use', 'id'],
};
