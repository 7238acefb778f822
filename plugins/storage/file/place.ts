import { chmod, lstat, mkdir, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { PluginContext } from 'kongfallback/plugin';
import { syncDirectory } from './durable.ts';
import { errnoOf, fileError, symlink } from './errors.ts';

/** Where a key's file is. */
export interface Place {
  /** Real path of the folder, without any link. */
  readonly directory: string;
  readonly name: string;
  readonly path: string;
}

const OWNER_ONLY = 0o700;
const PART = /^[A-Za-z0-9._-]+$/;

/** Names that this plugin makes for itself begin with a character that no key has. */
export const INTERNAL = '~';

export function isPart(name: string): boolean {
  return PART.test(name) && name !== '.' && name !== '..';
}

/** The directory itself. It must be there to read: a missing one is a typo or a missing mount. */
export async function findRoot(context: PluginContext, root: string): Promise<string> {
  try {
    return await realpath(root);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw fileError(context, error, root);
    throw context.error('unavailable', `the directory does not exist: ${root}`, {
      cause: error,
      hint: 'Check `path` for a typo and whether the volume is mounted; the exporter creates it on its first write.',
    });
  }
}

/** The place of a key, or undefined when there is no such folder. */
export async function findPlace(
  context: PluginContext,
  root: string,
  key: string,
): Promise<Place | undefined> {
  const real = await findRoot(context, root);
  const place = placeIn(context, real, key);
  try {
    if ((await realpath(place.directory)) !== place.directory) throw symlink(context, place.directory);
    return place;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw fileError(context, error, place.directory);
  }
}

/** The place of a key with its folders made, and the directory itself if its parent exists. */
export async function makePlace(
  context: PluginContext,
  root: string,
  key: string,
  mode: number,
): Promise<Place> {
  await makeFolder(root, mode).catch((error: unknown) => {
    throw errnoOf(error) === 'ENOENT' ? noParent(context, root) : fileError(context, error, root);
  });
  const real = await findRoot(context, root);
  const place = placeIn(context, real, key);
  let folder = real;
  for (const part of key.split('/').slice(0, -1)) {
    folder = join(folder, part);
    try {
      await makeFolder(folder, mode);
      // Looked at one by one: making a folder below a link would make it somewhere else.
      if ((await lstat(folder)).isSymbolicLink()) throw symlink(context, folder);
    } catch (error) {
      throw fileError(context, error, folder);
    }
  }
  return place;
}

async function makeFolder(folder: string, mode: number): Promise<void> {
  try {
    await mkdir(folder, { mode });
    // The process's umask would take away what the operator asked for.
    if (mode !== OWNER_ONLY) await chmod(folder, mode);
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return;
    throw error;
  }
  await syncDirectory(dirname(folder));
}

function placeIn(context: PluginContext, root: string, key: string): Place {
  const parts = key.split('/');
  const name = parts.pop() ?? '';
  if (![...parts, name].every(isPart)) {
    throw context.error('invalid', `not a key: ${JSON.stringify(key)}`, {
      hint: 'A key has parts of letters, digits, dot, dash and underscore between slashes.',
    });
  }
  const directory = join(root, ...parts);
  return { directory, name, path: join(directory, name) };
}

function noParent(context: PluginContext, root: string): Error {
  return context.error('unavailable', `neither the directory nor its parent exists: ${root}`, {
    hint: 'Check `path` for a typo and whether the volume is mounted; only the last part is created.',
  });
}
