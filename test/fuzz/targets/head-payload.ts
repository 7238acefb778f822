import { isDeepStrictEqual } from 'node:util';
import { decodeHead, encodeHead } from '../../../src/snapshot/head-codec.ts';
import { LINE, sampleEntry, sampleHead, sha256 } from '../../unit/snapshot/sample-head.ts';
import type { FuzzTarget } from '../fuzz-target.ts';
import { refusedOr } from '../refused-or.ts';

const hold = {
  target: sha256('document'),
  rejected: [{ configHash: null, documentLength: 7, documentSha256: sha256('another') }],
  by: 'ops',
  reason: 'broke logins',
  since: '2026-11-21T11:00:00.000Z',
  until: null,
};

/** What stands in a signed head, as a writer with the key but another mind could have written it. */
export const headPayload: FuzzTarget = {
  name: 'head-payload',
  dictionary: [
    'null',
    '1e999',
    '-1',
    '9007199254740993',
    '"__proto__":',
    '"constructor":',
    '[]',
    '{}',
    '../',
    '\\u0000',
    '"later":',
    '2026-02-30T00:00:00.000Z',
  ],
  corpus: () =>
    [
      sampleHead(),
      sampleHead({ hold }),
      sampleHead({ entries: Array.from({ length: 3 }, () => sampleEntry({ hashes: null, accepted: null })) }),
      sampleHead({ controlPlane: { state: 'down', since: '2026-11-20T00:00:00.000Z' }, delisted: [] }),
    ].map((one) => Buffer.from(encodeHead(one))),
  run(bytes) {
    const decoded = refusedOr(() => decodeHead(bytes, LINE, 'a head'));
    if (decoded === undefined) return;
    const again = decodeHead(encodeHead(decoded), LINE, 'a head written again');
    if (!isDeepStrictEqual(again, decoded)) throw new Error('written and read again, it is another head');
    if (decoded.entries.some(({ key }) => !/^snapshots\/[0-9a-f-]+\.kfs$/.test(key)))
      throw new Error('a key that leaves the line');
  },
};
