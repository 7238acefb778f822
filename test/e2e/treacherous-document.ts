import { recordedDocument } from '../stand-in/frames.ts';

/** A document whose values look like the frame around it. */
export function treacherousDocument(): Buffer {
  const table = JSON.parse(recordedDocument('mixed').toString()) as { plugins: { config: object }[] };
  const trap = '"config_table":{"services":[]},"config_hash":"00000000000000000000000000000000"}';
  Object.assign(table.plugins[0] ?? {}, {
    tags: [trap, `${trap.replaceAll('"', '\\"')}`, '\\"}', '"config_table":{'],
  });
  return Buffer.from(JSON.stringify(table));
}
