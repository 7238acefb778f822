import { pathToFileURL } from 'node:url';
import { resolve } from 'import-meta-resolve';
import { FallbackError } from '../errors/index.ts';

/**
 * An optional package of a validator, looked for from the settings file's folder, the working directory and this
 * installation, in this order.
 */
export async function importOptional<T>(specifier: string, baseDirectory: string): Promise<T> {
  const places = [folderUrl(baseDirectory), folderUrl(process.cwd()), import.meta.url];
  for (const place of places) {
    const url = resolved(specifier, place);
    if (url !== undefined) return (await import(url)) as T;
  }
  throw new FallbackError(
    'invalid',
    'KF_PLUGIN_PACKAGE_MISSING',
    `the package ${specifier} is not installed`,
    {
      hint: `npm install ${specifier}, in ${baseDirectory} or where kongfallback is installed.`,
    },
  );
}

function resolved(specifier: string, from: string): string | undefined {
  try {
    return resolve(specifier, from);
  } catch {
    return undefined;
  }
}

const folderUrl = (folder: string): string => pathToFileURL(`${folder}/settings`).href;
