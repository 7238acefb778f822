import { definePlugin, type Encryption } from 'kongfallback/plugin';
import * as z from 'zod';

/** Stores plain gzip: for configurations without secrets, and stores that encrypt by themselves. */
export default definePlugin({
  kind: 'encryption',
  name: 'none',
  settings: z.strictObject({}),
  create: (): Encryption => ({
    seal: (document) => document,
    open: (sealed) => sealed,
  }),
});
