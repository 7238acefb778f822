import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Lmdb } from '../../../src/kong/lmdb.ts';
import type { FuzzTarget } from '../fuzz-target.ts';
import { checkRefusal } from '../refused-or.ts';

const LOOKUPS = {
  hash: { key: 'declarative_config:hash', database: '_default' },
  tag: { key: 'validation_tag' },
};
const LARGEST_VALUE = 4096;
let directory: string | undefined;

/** A data.mdb that a gateway, a disk or somebody else left behind. */
export const lmdb: FuzzTarget = {
  name: 'lmdb',
  dictionary: [
    'declarative_config:hash',
    'validation_tag',
    '_default',
    '\xde\xc0\xef\xbe',
    '\x00\x10\x00\x00',
  ],
  corpus: () =>
    ['cold', 'warm', 'wiped'].map((name) =>
      gunzipSync(readFileSync(new URL(`../../fixtures/captures/lmdb/${name}.mdb.gz`, import.meta.url))),
    ),
  async run(bytes) {
    directory ??= mkdtempSync(join(tmpdir(), 'kongfallback-fuzz-'));
    const path = join(directory, 'data.mdb');
    writeFileSync(path, bytes);
    const file = await Lmdb.open(path);
    try {
      const values = Object.values((await file?.read(LOOKUPS)) ?? {});
      if (values.some(({ length }) => length > LARGEST_VALUE))
        throw new Error('a value larger than any may be');
    } catch (error) {
      checkRefusal(error);
    } finally {
      await file?.close();
    }
  },
  close() {
    if (directory !== undefined) rmSync(directory, { recursive: true });
    directory = undefined;
  },
};
