import { definePlugin } from 'kongfallback/plugin';
import * as z from 'zod';
import { AesGcmKeyWrap } from './key-wrap.ts';
import { parseWrappingKey } from './wrapping-key.ts';

const wrappingKey = z
  .string()
  .refine((text) => parseWrappingKey(text) !== undefined, {
    error: 'must be 32 bytes as base64 or hex; `kongfallback keygen --encryption` makes one',
  })
  .meta({ secret: true });

/** Keys on this machine: the first wraps, all of them unwrap, so that a key is changed without a gap. */
export default definePlugin({
  kind: 'encryption',
  name: 'aes-gcm',
  settings: z.strictObject({
    keys: z
      .array(wrappingKey)
      .min(1)
      .max(16)
      .meta({ secret: true, description: '32-byte keys, base64 or hex; the first seals, all open' }),
  }),
  create: ({ keys }, context) => new AesGcmKeyWrap(keys, context),
});
