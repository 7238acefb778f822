import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { resolve as resolveSpecifier } from 'import-meta-resolve';
import type { PluginFolders } from '../config/index.ts';

export interface Place {
  /** Where was looked, for the message. */
  readonly tried: string;
  /** Undefined where there is nothing. */
  readonly url?: string;
  /** Why it cannot be used, when something is there. */
  readonly fault?: string;
}

/**
 * A package from the settings file's folder, then the working directory, then this installation. ESM-only packages
 * are found too, which `require.resolve` does not do.
 */
export function* packagePlaces(specifier: string, folders: PluginFolders): Generator<Place> {
  const bases = [...new Set([folders.baseDirectory, folders.cwd])].map((folder) => ({
    from: folder,
    url: pathToFileURL(join(folder, 'settings')).href,
  }));
  for (const { from, url } of [...bases, { from: 'this installation', url: import.meta.url }]) {
    yield packagePlace(specifier, from, url);
  }
}

function packagePlace(specifier: string, from: string, base: string): Place {
  const tried = `package ${specifier} from ${from}`;
  try {
    const url = resolveSpecifier(specifier, base);
    // `use: fs` must not find Node's own module.
    return url.startsWith('file:') ? { tried, url } : { tried };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (
      code === 'ERR_PACKAGE_PATH_NOT_EXPORTED' ||
      code === 'ERR_INVALID_PACKAGE_CONFIG' ||
      code === 'ERR_INVALID_PACKAGE_TARGET'
    ) {
      return { tried, fault: message };
    }
    return { tried };
  }
}

/** A path relative to the settings file's folder; `file:` URLs too. */
export function pathPlace(use: string, folders: PluginFolders): Place {
  const path = use.startsWith('file:') ? toPath(use) : resolve(folders.baseDirectory, use);
  if (path === undefined) return { tried: use, fault: 'is no valid file: URL' };
  const tried = `path ${path}`;
  if (!existsSync(path)) return { tried };
  if (!statSync(path).isFile()) return { tried, fault: 'is a folder; name its main file' };
  return { tried, url: pathToFileURL(path).href };
}

export const isPath = (use: string): boolean => /^(\.{1,2}\/|\/|file:|[A-Za-z]:[\\/])/.test(use);

function toPath(url: string): string | undefined {
  try {
    return fileURLToPath(url);
  } catch {
    return undefined;
  }
}
