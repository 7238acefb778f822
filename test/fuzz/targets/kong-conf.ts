import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readKongSettings } from '../../../src/config/kong-settings.ts';
import { parseKongConf } from '../../../src/kong/kong-conf.ts';
import type { FuzzTarget } from '../fuzz-target.ts';
import { checkRefusal } from '../refused-or.ts';

const folder = new URL('../../fixtures/kong-conf/', import.meta.url);
let directory: string | undefined;

/** A kong.conf, and the settings that are made of it. */
export const kongConf: FuzzTarget = {
  name: 'kong-conf',
  dictionary: [
    '\\\n',
    '\\#',
    '#',
    ';',
    ' = ',
    ':',
    "'",
    '"',
    '\r',
    '\u2028',
    's3://bucket/prefix',
    'cluster_fallback_config_storage = ',
    'cluster_fallback_config_import = on',
    'cluster_cert = ',
    '__proto__ = ',
    '-----BEGIN CERTIFICATE-----',
  ],
  corpus: () =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.conf'))
      .map((name) => readFileSync(new URL(name, folder))),
  async run(bytes) {
    parseKongConf(bytes.toString('utf8'));
    directory ??= mkdtempSync(join(tmpdir(), 'kongfallback-fuzz-'));
    const path = join(directory, 'kong.conf');
    writeFileSync(path, bytes);
    try {
      await readKongSettings({ kongConf: path, env: {}, cwd: directory });
    } catch (error) {
      checkRefusal(error);
    }
  },
  close() {
    if (directory !== undefined) rmSync(directory, { recursive: true });
    directory = undefined;
  },
};
