import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { Sealing } from '../../../src/snapshot/sealing.ts';
import { aesGcmWith, drained, inPieces, SIGNAL, sealingWith } from '../../unit/snapshot/streams.ts';
import type { FuzzTarget } from '../fuzz-target.ts';
import { checkRefusal } from '../refused-or.ts';

interface Vector {
  readonly expect: string;
  readonly bytes?: string;
  readonly opened?: string;
  readonly keys: string[];
  readonly context: string;
}

const folder = new URL('../../fixtures/vectors/snapshots/', import.meta.url);
const vectors = readdirSync(folder).map(
  (name) => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Vector,
);
const whole = vectors.filter((vector) => vector.bytes !== undefined && vector.bytes.length < 100_000);
const opened = new Set(vectors.flatMap((vector) => vector.opened ?? []));
const context = Buffer.from(whole[0]?.context ?? '', 'base64');
let sealing: Promise<Sealing> | undefined;

/** A sealed snapshot as a stream: whatever opens is what somebody with the key sealed. */
export const envelope: FuzzTarget = {
  name: 'envelope',
  dictionary: [
    '"wrappedKeys":[',
    '"chunkBytes":65536',
    '"plugin":"aes-gcm"',
    'KFS\x01',
    '"__proto__":',
    ']}',
    ',{}',
  ],
  corpus: () => whole.map(({ bytes = '' }) => Buffer.from(bytes, 'base64')),
  async run(bytes) {
    sealing ??= aesGcmWith(...new Set(whole.flatMap(({ keys }) => keys))).then((ring) => sealingWith(ring));
    const open = (await sealing).open(inPieces(bytes, [8, 333, 0, 70_000]), 'envelope', context, {
      signal: SIGNAL,
      authenticated: true,
    });
    const { bytes: document, error } = await drained(open);
    if (error !== undefined) checkRefusal(error);
    else if (!opened.has(createHash('sha256').update(document).digest('hex'))) throw new Error('forged');
  },
};
