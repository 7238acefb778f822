import { access, constants, stat } from 'node:fs/promises';
import { existingPlace } from '../existing-place.ts';
import type { Fault, Observation } from '../observation.ts';

export interface FolderToCheck {
  /** What the settings call it. */
  readonly setting: string;
  readonly path: string;
  /** Whether it is made where it is missing. */
  readonly made: boolean;
  /** When it cannot be written. */
  readonly severity: Fault;
}

const WRITABLE_BY_OTHERS = 0o002;

/** Nothing is written: a folder that is missing would be made, which is for its owner to do. */
export async function writableFolder({
  made,
  path,
  setting,
  severity,
}: FolderToCheck): Promise<Observation[]> {
  const place = await existingPlace(path);
  const unwritable = (why: string): Observation[] => [
    {
      severity,
      code: 'folder-unwritable',
      message: `${setting}: ${path} cannot be written: ${why}`,
      hint: `Make the folder, and give it to the user that kongfallback runs as: ${path}. Is the volume mounted?`,
    },
  ];
  if (place !== path && !made) return unwritable('it is not there');
  try {
    const found = await stat(place);
    if (!found.isDirectory()) return unwritable(`${place} is not a folder`);
    await access(place, constants.W_OK | constants.X_OK);
    if (place === path && (found.mode & WRITABLE_BY_OTHERS) !== 0) return [open(setting, path, found.mode)];
  } catch (error) {
    return unwritable(`${String((error as NodeJS.ErrnoException).code)} at ${place}`);
  }
  return [{ severity: 'ok', code: 'folder-writable', message: `${setting}: ${path} can be written` }];
}

const open = (setting: string, path: string, mode: number): Observation => ({
  severity: 'warning',
  code: 'folder-open',
  message: `${setting}: ${path} can be written by every user of this machine (mode ${(mode & 0o7777).toString(8)})`,
  hint: `Run chmod o-w ${path}: whoever writes there decides what this machine starts with.`,
});
