// cosmiconfig, with its traps closed. A module of its own, so that only a search loads it.
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { cosmiconfig, type Loader } from 'cosmiconfig';
import { FallbackError } from '../errors/index.ts';

/**
 * The first of these names that is in the directory, with its text.
 *
 * @param refuse the error for a file that is code
 */
export async function searchNames(
  directory: string,
  names: readonly string[],
  refuse: (path: string) => Error,
): Promise<{ readonly path: string; readonly text: string } | undefined> {
  // The text leaves the loader as it is: cosmiconfig never sees a value, so that `$import` means nothing to it.
  const text: Loader = (_path, content) => ({ content });
  const code: Loader = (path) => {
    throw refuse(path);
  };
  const explorer = atInstallation(() =>
    cosmiconfig('kongfallback', {
      searchStrategy: 'none',
      searchPlaces: [...names],
      ignoreEmptySearchPlaces: false,
      cache: false,
      loaders: {
        noExt: text,
        '.json': text,
        '.yaml': text,
        '.yml': text,
        '.js': code,
        '.cjs': code,
        '.mjs': code,
        '.ts': code,
      },
    }),
  );
  const found = await explorer.search(directory);
  if (found === null) return undefined;
  return {
    path: found.filepath,
    text: found.isEmpty ? '' : (found.config as { content: string }).content,
  };
}

/**
 * cosmiconfig reads a configuration of its own from the working directory when it is constructed, and executes it
 * if it is code (`.config/config.cjs`). It is constructed while that directory is our own; synchronously, so that
 * nothing else runs meanwhile.
 */
function atInstallation<T>(make: () => T): T {
  if (!isMainThread) {
    throw new FallbackError(
      'unsupported',
      'KF_SETTINGS_THREAD',
      'settings cannot be searched for in a worker thread',
      {
        hint: 'Name the file (configPath), or load the settings in the main thread.',
      },
    );
  }
  const before = process.cwd();
  process.chdir(dirname(fileURLToPath(import.meta.url)));
  try {
    return make();
  } finally {
    process.chdir(before);
  }
}
