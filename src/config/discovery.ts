import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { FallbackError } from '../errors/index.ts';
import { importModule } from './import-module.ts';
import type { SettingsWarning } from './problem.ts';
import { LARGEST_FILE_BYTES, readText, reasonOf } from './read-text.ts';
import { leavesOf } from './setting-tree.ts';
import { readSettingsFile, type SettingsText } from './settings-file.ts';

export interface DiscoveryOptions {
  /** What `--config` names. */
  readonly configPath?: string | undefined;
  /** What KONGFALLBACK_CONFIG names; empty is unset. */
  readonly environmentPath?: string | undefined;
  readonly cwd: string;
  readonly etcDirectory: string;
}

export interface FoundSettings extends SettingsText {
  /** Absolute. */
  readonly path: string;
  readonly warnings: readonly SettingsWarning[];
}

/** Data only, and only these names: nothing in a working directory is ever executed. */
export const WORKING_DIRECTORY_NAMES: readonly string[] = ['', '.json', '.yaml', '.yml'].flatMap((ending) => [
  `.kongfallbackrc${ending}`,
  `.config/kongfallbackrc${ending}`,
]);
export const ETC_NAMES: readonly string[] = [
  'config.yaml',
  'config.yml',
  'config.json',
  ...['', '.json', '.yaml', '.yml'].map((ending) => `.kongfallbackrc${ending}`),
];

/**
 * The settings file: `--config`, else KONGFALLBACK_CONFIG, else a known name in the working directory, else in
 * /etc/kongfallback. Undefined when there is none.
 *
 * @throws `invalid` KF_SETTINGS_UNREADABLE, KF_SETTINGS_CODE or KF_SETTINGS_SYNTAX. A file that is there but
 *   cannot be read is never passed over for another.
 */
export async function discoverSettings(options: DiscoveryOptions): Promise<FoundSettings | undefined> {
  const { configPath, environmentPath, cwd, etcDirectory } = options;
  if (configPath !== undefined) return readNamed(resolve(cwd, configPath), '--config', true);
  if (environmentPath) return readNamed(resolve(cwd, environmentPath), 'KONGFALLBACK_CONFIG', false);
  for (const [directory, names] of [
    [cwd, WORKING_DIRECTORY_NAMES],
    [etcDirectory, ETC_NAMES],
  ] as const) {
    const present = await checkNames(directory, names);
    if (present.length === 0) continue;
    const found = await search(directory, names);
    if (found !== undefined) return { ...found, warnings: [...found.warnings, ...shadowed(present)] };
  }
  return undefined;
}

async function search(directory: string, names: readonly string[]): Promise<FoundSettings | undefined> {
  // Imported here: a named file does without cosmiconfig, and a new node should start fast.
  const { searchNames } = await import('./search-names.ts');
  const found = await searchNames(directory, names, refusedCode);
  return found === undefined ? undefined : readData(found.path, found.text);
}

/** Names that are present. Each must be a readable regular file of bounded size before cosmiconfig opens it. */
async function checkNames(directory: string, names: readonly string[]): Promise<string[]> {
  const present: string[] = [];
  for (const name of names) {
    const path = join(directory, name);
    const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
      throw unreadable(path, reasonOf(error), error);
    });
    if (found === undefined) continue;
    if (!found.isFile()) throw unreadable(path, 'is not a regular file');
    if (found.size > LARGEST_FILE_BYTES) throw unreadable(path, `is larger than ${LARGEST_FILE_BYTES} bytes`);
    await access(path, constants.R_OK).catch((error: unknown) => {
      throw unreadable(path, reasonOf(error), error);
    });
    present.push(path);
  }
  return present;
}

async function readNamed(path: string, by: string, allowCode: boolean): Promise<FoundSettings> {
  if (['.js', '.mjs', '.cjs', '.ts', '.mts', '.cts'].includes(extname(path))) {
    if (!allowCode || !['.js', '.mjs'].includes(extname(path))) throw refusedCode(path);
    return readModule(path);
  }
  const { text, mode } = await readText(path).catch((error: Error) => {
    throw unreadable(path, `, named by ${by}, ${error.message}`, error);
  });
  return readData(path, text, mode);
}

async function readData(path: string, text: string, mode?: number): Promise<FoundSettings> {
  const bits = mode ?? (await stat(path)).mode;
  const warnings: SettingsWarning[] = [];
  if ((bits & 0o002) !== 0) {
    warnings.push({
      code: 'KF_SETTINGS_WRITABLE',
      message: `${path} may be changed by every user of this machine`,
      hint: `Run chmod o-w ${path}.`,
    });
  }
  return { path, ...readSettingsFile(path, text), warnings };
}

async function readModule(path: string): Promise<FoundSettings> {
  let value: unknown;
  try {
    const module = (await importModule(pathToFileURL(path).href)) as { default?: unknown };
    // Through JSON, so that what arrives is plain data like that of any other file.
    value = JSON.parse(JSON.stringify(module.default ?? null));
  } catch (error) {
    throw unreadable(
      path,
      `could not be run: ${error instanceof Error ? error.message : String(error)}`,
      error,
    );
  }
  const leaves =
    typeof value === 'object' && value !== null && !Array.isArray(value) ? leavesOf(value) : undefined;
  if (leaves === undefined)
    throw unreadable(path, 'has no default export that is a plain object of settings');
  const origin = { kind: 'file', path } as const;
  return {
    path,
    assignments: leaves.map((leaf) => ({ ...leaf, origin })),
    warnings: [],
    locate: () => undefined,
  };
}

function shadowed(present: readonly string[]): SettingsWarning[] {
  const [used, ...others] = present;
  if (others.length === 0) return [];
  return [
    {
      code: 'KF_SETTINGS_SHADOWED',
      message: `${used} is used, ${others.join(', ')} is not`,
      hint: 'Remove what is not meant, or name the file with --config.',
    },
  ];
}

const refusedCode = (path: string): FallbackError =>
  new FallbackError('invalid', 'KF_SETTINGS_CODE', `settings are not read from ${path}: it is code`, {
    hint: 'Write the settings as YAML or JSON; a .js or .mjs file is run only when --config names it.',
  });

const unreadable = (path: string, reason: string, cause?: unknown): FallbackError =>
  new FallbackError(
    'invalid',
    'KF_SETTINGS_UNREADABLE',
    `the settings file ${path}${reason.startsWith(',') ? '' : ' '}${reason}`,
    { cause, hint: 'Check the path and who may read it, or name another file with --config.' },
  );
