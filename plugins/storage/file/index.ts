import { resolve } from 'node:path';
import { definePlugin } from 'kongfallback/plugin';
import * as z from 'zod';
import { FileStore } from './file-store.ts';

/**
 * A directory: a local disk, a mounted volume, NFS. Atomic, fsynced, conditional against any number of
 * processes and machines (see commit.ts for what that rests on).
 */
export default definePlugin({
  kind: 'storage',
  name: 'file',
  capabilities: { conditionalPut: true },
  settings: z.strictObject({
    path: z
      .string()
      .min(1)
      .meta({ description: 'Directory; relative to the settings file. Created if its parent exists.' }),
    readableBy: z.enum(['owner', 'group', 'all']).default('owner').meta({
      description: 'Who may read what is written: nodes that run as another user need group or all.',
    }),
  }),
  create: ({ path, readableBy }, context) =>
    new FileStore(resolve(context.baseDirectory, path), readableBy, context),
});
