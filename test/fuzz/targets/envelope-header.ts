import { isDeepStrictEqual } from 'node:util';
import { FallbackError } from '../../../src/errors/index.ts';
import {
  decodeHeader,
  encodeHeader,
  headerLength,
  PREFIX_BYTES,
} from '../../../src/snapshot/envelope-header.ts';
import type { FuzzTarget } from '../fuzz-target.ts';
import { refusedOr } from '../refused-or.ts';

const refuse = (what: string) =>
  new FallbackError('corrupt', 'KF_SNAPSHOT_CORRUPT', what, { hint: 'as the reader would say it' });
const REFUSALS = { damaged: refuse, version: refuse };
const key = { plugin: 'aes-gcm', keyId: '0123456789abcdef', wrapped: Buffer.alloc(60, 7) };

/** The header alone, which is read before anything authenticates. */
export const envelopeHeader: FuzzTarget = {
  name: 'envelope-header',
  dictionary: [
    '"wrappedKeys":',
    '"chunkBytes":',
    '65536',
    'null',
    '"__proto__":',
    '{"plugin":"x","keyId":"y","wrapped":"AAAA"},',
  ],
  corpus: () =>
    [[key], [key, { ...key, plugin: 'aws-kms', keyId: 'arn:aws:kms:eu-west-1:1:key/2' }]].map((keys) =>
      Buffer.from(encodeHeader(keys)),
    ),
  run(bytes) {
    const length = refusedOr(() => headerLength(bytes, REFUSALS));
    if (length !== undefined && length > 65_536)
      throw new Error(`a header of ${length} bytes would be collected`);
    const keys = refusedOr(() => decodeHeader(bytes.subarray(PREFIX_BYTES), REFUSALS));
    if (keys === undefined) return;
    const again = decodeHeader(encodeHeader(keys).subarray(PREFIX_BYTES), REFUSALS);
    if (!isDeepStrictEqual(again, keys)) throw new Error('written and read again, it is another header');
  },
};
