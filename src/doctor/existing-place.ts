import { lstat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** The path itself, or the nearest folder above it that is there. */
export async function existingPlace(path: string): Promise<string> {
  for (let place = path; ; place = dirname(place)) {
    try {
      await lstat(place);
      return place;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const above = dirname(place);
      if ((code !== 'ENOENT' && code !== 'ENOTDIR') || above === place) return place;
    }
  }
}
