import { dirname } from 'node:path';
import { gatherLayers } from '../config/gather-layers.ts';
import { layTree } from '../config/layers.ts';
import { resolveReferences } from '../config/references.ts';
import { settingsJsonSchema } from '../config/schema.ts';
import { SchemaOutline } from '../config/schema-outline.ts';
import type { SettingPath } from '../config/setting-path.ts';
import type { DoctorPlaces } from './doctor-settings.ts';

/** Settings as they stand in file, environment and flags: also what a role leaves out, and what is refused as a whole. */
export interface WrittenSettings {
  readonly baseDirectory: string;
  /** Text only, with its references. */
  text(path: SettingPath): string | undefined;
  /** @throws a plain Error where a reference leads to nothing */
  resolve(text: string): Promise<string>;
}

/** @throws FallbackError `invalid` for settings that cannot be read at all */
export async function writtenSettings(places: DoctorPlaces): Promise<WrittenSettings> {
  const { cwd, env } = places;
  const { environment, file, flags } = await gatherLayers(places, new SchemaOutline(settingsJsonSchema()));
  const { tree } = layTree([file?.assignments ?? [], environment, flags], cwd);
  const baseDirectory = file === undefined ? cwd : dirname(file.path);
  return {
    baseDirectory,
    text: (path) => {
      const value = tree.get(path);
      return typeof value === 'string' ? value : undefined;
    },
    resolve: async (text) => (await resolveReferences(text, { env, baseDirectory })).text,
  };
}
