import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { GoodDocument } from 'kongfallback/testing';

const CAPTURES = join(import.meta.dirname, '../../fixtures/captures/control-plane');

/** The configurations that a real control plane sent and real data planes accepted. */
export function recordedDocuments(): GoodDocument[] {
  return readdirSync(CAPTURES, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => {
      const frames = readdirSync(join(CAPTURES, entry.name)).filter((file) =>
        /^frame-\d+\.json\.gz$/.test(file),
      );
      return frames.map((file) => document(entry.name, file));
    });
}

function document(folder: string, file: string): GoodDocument {
  const message = JSON.parse(gunzipSync(readFileSync(join(CAPTURES, folder, file))).toString()) as {
    config_table: unknown;
  };
  return { name: `${folder}/${file}`, bytes: Buffer.from(JSON.stringify(message.config_table)) };
}
