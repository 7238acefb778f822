import { resolve } from 'node:path';
import { definePlugin } from 'kongfallback/plugin';
import * as z from 'zod';
import { FileSource } from './file-source.ts';

/** A configuration document (a bare config_table as JSON) from a file, read once per session. */
export default definePlugin({
  kind: 'source',
  name: 'file',
  settings: z.strictObject({
    path: z.string().min(1).meta({ description: 'File to read; relative to the settings file.' }),
    maxBytes: z
      .int()
      .positive()
      .max(2 ** 31)
      .default(536_870_912)
      .meta({ description: 'Largest file accepted, bytes. Default 512 MiB.' }),
  }),
  create: ({ path, maxBytes }, context) =>
    new FileSource(resolve(context.baseDirectory, path), maxBytes, context),
});
