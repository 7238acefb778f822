import { isDeepStrictEqual } from 'node:util';
import { gunzipSync, gzipSync } from 'node:zlib';
import { peekFrame, readFrame } from '../../../src/kong/frame.ts';
import { encodeFrame, recordedFrame } from '../../stand-in/frames.ts';
import type { FuzzTarget } from '../fuzz-target.ts';
import { refusedOr } from '../refused-or.ts';

const LIMITS = { maxMessageBytes: 8 * 1024 * 1024 };

/** The message inside: what is sliced out must be what a whole parse finds in it. */
export const frameMessage: FuzzTarget = {
  name: 'frame-message',
  dictionary: [
    '"config_table":',
    '"config_table":{},',
    '"config\\u005ftable":{}',
    '"type":"reconfigure",',
    '"config_hash":"0"',
    '"kongfallback":1,',
    '\\"',
    '\\\\',
    '}}',
    '{"a":',
    '[[[[[[[[',
    '\u00e9',
    '\ufeff',
    ' \n\t',
    '"__proto__":{"x":1},',
  ],
  corpus: () => [
    ...['mixed', 'empty', 'older-versions/3.4.2/frame'].map((name) => gunzipSync(recordedFrame(name))),
    gunzipSync(encodeFrame({ _format_version: '3.0', tags: ['"config_table":{}', '\\"}'] })),
    gunzipSync(
      encodeFrame({ a: {} }, { keyOrder: ['config_table', 'type', 'hashes', 'config_hash', 'timestamp'] }),
    ),
  ],
  run(bytes) {
    const gzip = gzipSync(bytes, { level: 1 });
    peekFrame(gzip);
    const read = refusedOr(() => readFrame(gzip, LIMITS));
    if (read === undefined) return;
    const whole = JSON.parse(bytes.toString('utf8')) as { config_table: unknown; type: unknown };
    const document = JSON.parse(Buffer.from(read.document).toString('utf8')) as unknown;
    if (!isDeepStrictEqual(whole.config_table, document))
      throw new Error('the slice is not what a parser finds');
    if (!isDeepStrictEqual(read.table, document)) throw new Error('the table is not the slice');
    if (!bytes.includes(Buffer.from(read.document))) throw new Error('bytes that were not in the message');
  },
};
