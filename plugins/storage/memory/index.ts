import { definePlugin } from 'kongfallback/plugin';
import * as z from 'zod';
import { MemoryStore } from './memory-store.ts';

/** Lives and dies with its instance: for tests and for embedding, never for a fallback. */
export default definePlugin({
  kind: 'storage',
  name: 'memory',
  capabilities: { conditionalPut: true },
  settings: z.strictObject({}),
  create: (_settings, context) => new MemoryStore(context),
});
