// Settings, in order: find the file, lay the layers over each other, resolve references, check the core's part, load and check the plugins of the role.
import { hostname } from 'node:os';
import { dirname, resolve } from 'node:path';
import { FallbackError } from '../errors/index.ts';
import type { PluginCatalogue } from './catalogue.ts';
import { type ControlPlaneSettings, resolveControlPlane } from './control-plane-settings.ts';
import { discoverSettings, ETC_NAMES, WORKING_DIRECTORY_NAMES } from './discovery.ts';
import { type EntrySet, type LoadedEntries, loadEntries } from './entry-set.ts';
import { readEnvironment } from './environment.ts';
import { coerceTree, layTree, readFlags, resolveTree } from './layers.ts';
import { Secrets } from './mask.ts';
import { originText } from './origin.ts';
import { MOST_PROBLEMS, type Problem, type SettingsWarning, settingsError } from './problem.ts';
import { type Role, usesSetting } from './role.ts';
import { roleProblems, roleWarnings } from './role-checks.ts';
import { type ParsedSettings, settingsJsonSchema, settingsSchema } from './schema.ts';
import { SchemaOutline } from './schema-outline.ts';
import { schemaProblems } from './schema-problems.ts';
import { pathText, type SettingPath } from './setting-path.ts';
import { type SettingRow, settingRows } from './setting-rows.ts';
import type { Assignment } from './setting-tree.ts';

export interface LoadSettingsOptions {
  readonly role: Role;
  /** What `--config` names. */
  readonly configPath?: string | undefined;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `--set path=value`, by path. */
  readonly flags?: Readonly<Record<string, string>> | undefined;
  readonly catalogue: PluginCatalogue;
  /** Default: /etc/kongfallback. */
  readonly etcDirectory?: string | undefined;
  /** Layers between the file and the environment, such as Kong's own settings. */
  readonly layers?: readonly (readonly Assignment[])[] | undefined;
}

export type Settings = Omit<ParsedSettings, 'controlPlane' | 'export'> & {
  readonly controlPlane?: ControlPlaneSettings;
  readonly export: ParsedSettings['export'] & { readonly instance: string };
};

export interface LoadedSettings {
  readonly role: Role;
  /** Frozen; defaults filled in; plugin entries as written, see `entries` for what they became. */
  readonly settings: Settings;
  /** Plugins that the role needs, loaded and checked; what it does not need is empty. */
  readonly entries: LoadedEntries;
  /** Origin by path, such as "env KONGFALLBACK_CLUSTER"; paths as in `storages[0].bucket`. */
  readonly origins: ReadonlyMap<string, string>;
  /** Every value with its origin, secrets masked: what `kongfallback config` prints. */
  readonly rows: readonly SettingRow[];
  /** Secret values, longest first, for redaction. */
  readonly secrets: readonly string[];
  /** The settings file; undefined when everything came from elsewhere. */
  readonly file: string | undefined;
  /** Folder that relative paths are relative to: of the file, else the working directory. */
  readonly baseDirectory: string;
  readonly cwd: string;
  readonly warnings: readonly SettingsWarning[];
}

/**
 * @throws `invalid` KF_SETTINGS_NOT_FOUND, KF_SETTINGS_UNREADABLE, KF_SETTINGS_SYNTAX, KF_SETTINGS_CODE,
 *   KF_SETTINGS_INVALID (every problem, a line each), or a KF_PLUGIN_… error where that is all that is wrong
 */
export async function loadSettings(options: LoadSettingsOptions): Promise<LoadedSettings> {
  const { role, cwd, env, catalogue, etcDirectory = '/etc/kongfallback' } = options;
  const outline = new SchemaOutline(settingsJsonSchema());
  const found = await discoverSettings({
    configPath: options.configPath,
    environmentPath: env['KONGFALLBACK_CONFIG'],
    cwd,
    etcDirectory,
  });
  const environment = readEnvironment(env, outline);
  const flags = readFlags(options.flags ?? {});
  if (
    found === undefined &&
    environment.assignments.length + flags.assignments.length === 0 &&
    environment.problems.length === 0
  ) {
    throw notFound(cwd, etcDirectory);
  }
  const baseDirectory = found === undefined ? cwd : dirname(found.path);
  const layers = [
    found?.assignments ?? [],
    ...(options.layers ?? []),
    environment.assignments,
    flags.assignments,
  ];
  const { tree, problems: layering } = layTree(layers);
  const secrets = new Secrets();
  const verifies = tree.get(['signing', 'publicKeys']) !== undefined;
  const uses = (path: SettingPath): boolean => usesSetting(role, path, verifies);
  const resolved = await resolveTree(tree, outline, { env, baseDirectory }, uses, secrets);
  const texts = new Set(
    tree
      .leaves()
      .filter(({ text }) => text)
      .map(({ path }) => pathText(path)),
  );
  const isText = (path: SettingPath): boolean =>
    texts.has(pathText(path)) || resolved.masked.has(pathText(path));
  coerceTree(tree, outline, isText);

  const parsed = settingsSchema.safeParse(tree.root);
  const unresolved = new Set(resolved.problems.map(({ path }) => pathText(path)));
  const core = schemaProblems(parsed.error?.issues ?? [], tree.root, outline).filter(
    ({ path }) => !unresolved.has(pathText(path)),
  );
  const context = { tree, catalogue, folders: { baseDirectory, cwd }, isText };
  const entries = await loadEntries(parsed.data ?? tree.root, context, uses, unresolved);
  const controlPlane =
    parsed.data?.controlPlane === undefined
      ? undefined
      : await resolveControlPlane(parsed.data.controlPlane, baseDirectory);
  collectSecrets(tree, outline, entries, uses, secrets);
  if (controlPlane?.settings !== undefined) secrets.add(controlPlane.settings.key);

  const problems: Problem[] = [
    ...environment.problems,
    ...flags.problems,
    ...layering,
    ...resolved.problems,
    ...core,
    ...entries.problems.filter(({ path }) => !unresolved.has(pathText(path))),
    ...(controlPlane?.problems ?? []),
    ...(parsed.data === undefined ? [] : roleProblems(role, parsed.data)),
  ].map((problem, i) => {
    if (i >= MOST_PROBLEMS) return problem;
    const origin = problem.origin === undefined ? tree.originOf(problem.path) : undefined;
    if (origin === undefined) return problem;
    const place = origin.kind === 'file' ? found?.locate(problem.path) : undefined;
    return { ...problem, origin: originText({ ...origin, ...place }, cwd) };
  });
  if (problems.length > 0 || parsed.data === undefined) throw settingsError(problems, secrets.mask);

  const { controlPlane: _given, ...rest } = parsed.data;
  const settings: Settings = {
    ...rest,
    ...(controlPlane?.settings && { controlPlane: controlPlane.settings }),
    export: { ...rest.export, instance: rest.export.instance ?? hostname() },
    bootstrap: { ...rest.bootstrap, cacheDirectory: resolve(baseDirectory, rest.bootstrap.cacheDirectory) },
  };
  const origins = new Map(tree.leaves().map(({ path, origin }) => [pathText(path), originText(origin, cwd)]));
  return {
    role,
    settings: deepFreeze(settings),
    entries: entries.loaded,
    origins,
    rows: settingRows({
      tree,
      outline,
      effective: { ...parsed.data, export: settings.export },
      entries,
      masked: resolved.masked,
      secrets,
      cwd,
    }),
    secrets: secrets.values(),
    file: found?.path,
    baseDirectory,
    cwd,
    warnings: [
      ...(found?.warnings ?? []),
      ...resolved.warnings,
      ...(controlPlane?.warnings ?? []),
      ...roleWarnings(role, parsed.data),
    ],
  };
}

/** Values at places that a schema calls secret, whatever way they came. */
function collectSecrets(
  tree: { leaves(): readonly { path: SettingPath }[]; get(path: SettingPath): unknown },
  outline: SchemaOutline,
  entries: EntrySet,
  uses: (path: SettingPath) => boolean,
  secrets: Secrets,
): void {
  for (const { path } of tree.leaves()) {
    const value = tree.get(path);
    if (typeof value === 'string' && uses(path) && (outline.secret(path) || entries.secret(path)))
      secrets.add(value);
  }
}

function notFound(cwd: string, etcDirectory: string): FallbackError {
  return new FallbackError(
    'invalid',
    'KF_SETTINGS_NOT_FOUND',
    'there is no settings file and no KONGFALLBACK_* variable',
    {
      hint:
        `Looked for ${WORKING_DIRECTORY_NAMES.join(', ')} in ${cwd} and ${ETC_NAMES.join(', ')} in ${etcDirectory}. ` +
        'Copy .kongfallbackrc.example to start with, or name a file with --config (also .js and .mjs, which are never searched for).',
    },
  );
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const child of Object.values(value)) deepFreeze(child);
  }
  return value;
}
