import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

export interface RecordedConfiguration {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly gatewayVersion: string;
  readonly fromControlPlane: boolean;
}

const CAPTURES = join(import.meta.dirname, '../../fixtures/captures');

/**
 * Everything that real control planes sent and real data planes accepted, for every version, and the document of
 * 10,000 entities. Without what a data plane rejected, and the database that had nothing in it.
 */
export function recordedConfigurations(): RecordedConfiguration[] {
  const frames = readdirSync(CAPTURES, { recursive: true, encoding: 'utf8' })
    .filter((path) => /frame(-\w+)?\.json\.gz$/.test(path))
    .filter((path) => !path.includes('rejected') && !path.includes('empty'))
    .sort()
    .map((path) => {
      const { config_table } = JSON.parse(inflated(path).toString()) as { config_table: unknown };
      const gatewayVersion = /older-versions\/(\d+\.\d+\.\d+)\//.exec(path)?.[1] ?? '3.9.3';
      const bytes = Buffer.from(JSON.stringify(config_table));
      return { name: path, bytes, gatewayVersion, fromControlPlane: true };
    });
  const file = {
    name: 'declarative-10k',
    bytes: inflated('declarative-10k.json.gz'),
    gatewayVersion: '3.9.3',
    fromControlPlane: false,
  };
  return [...frames, file];
}

const inflated = (path: string): Buffer => gunzipSync(readFileSync(join(CAPTURES, path)));
