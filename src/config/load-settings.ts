// Settings, in order: find the file, lay the layers over each other, resolve references, check the core's part, load and check the plugins of the role.
import { hostname } from 'node:os';
import { dirname, resolve } from 'node:path';
import type { PluginCatalogue } from './catalogue.ts';
import { type ControlPlaneSettings, resolveControlPlane } from './control-plane-settings.ts';
import { type EntrySet, type LoadedEntries, loadEntries } from './entry-set.ts';
import { type GatheredLayers, gatherLayers, type SettingsPlaces } from './gather-layers.ts';
import type { KongLayers } from './kong-layers.ts';
import { coerceTree, layTree, resolveTree } from './layers.ts';
import { Secrets } from './mask.ts';
import { openKeys } from './open-keys.ts';
import { originText } from './origin.ts';
import { inlinePem } from './pem.ts';
import { MOST_PROBLEMS, type Problem, type SettingsWarning, settingsError } from './problem.ts';
import { type RelaySettings, resolveRelay } from './relay-settings.ts';
import { type Role, usesSetting } from './role.ts';
import { roleProblems, roleWarnings } from './role-checks.ts';
import { type ParsedSettings, settingsJsonSchema, settingsSchema } from './schema.ts';
import { SchemaOutline } from './schema-outline.ts';
import { schemaProblems } from './schema-problems.ts';
import { pathText, type SettingPath } from './setting-path.ts';
import { type SettingRow, settingRows } from './setting-rows.ts';
import type { Assignment } from './setting-tree.ts';

export interface LoadSettingsOptions extends SettingsPlaces {
  readonly role: Role;
  readonly catalogue: PluginCatalogue;
  /** Layers between the file and the environment. */
  readonly layers?: readonly (readonly Assignment[])[] | undefined;
  /** What `kong version` says, where Kong's settings alone name no gateway version. Default: it is run. */
  readonly kongVersion?: () => Promise<string | undefined>;
}

export type Settings = Omit<ParsedSettings, 'controlPlane' | 'export' | 'relay'> & {
  readonly controlPlane?: ControlPlaneSettings;
  readonly relay: RelaySettings;
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
 *   KF_KONG_CONF_UNREADABLE, KF_SETTINGS_INVALID (every problem, a line each), or a KF_PLUGIN_… error where that is
 *   all that is wrong
 */
export async function loadSettings(options: LoadSettingsOptions): Promise<LoadedSettings> {
  const { role, cwd, env, catalogue } = options;
  const outline = new SchemaOutline(settingsJsonSchema());
  const gathered = await gatherLayers(options, outline);
  const { file: found, environment, flags } = gathered;
  const kong = await layersOfKong(gathered, options);
  const baseDirectory = found === undefined ? cwd : dirname(found.path);
  const layers = [
    kong?.defaults ?? [],
    found?.assignments ?? [],
    ...(options.layers ?? []),
    kong?.assignments ?? [],
    environment,
    flags,
  ];
  const { tree, problems: layering } = layTree(layers, cwd);
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
  const unresolved = new Set(
    [...resolved.problems, ...(kong?.problems ?? [])]
      .filter(({ path }) => path.length > 0)
      .map(({ path }) => pathText(path)),
  );
  const core = schemaProblems(parsed.error?.issues ?? [], tree.root, outline).filter(
    ({ path }) => !unresolved.has(pathText(path)),
  );
  const context = { tree, catalogue, folders: { baseDirectory, cwd }, isText };
  const entries = await loadEntries(parsed.data ?? tree.root, context, uses, unresolved);
  const controlPlane =
    parsed.data?.controlPlane === undefined || !uses(['controlPlane'])
      ? undefined
      : await resolveControlPlane(parsed.data.controlPlane, baseDirectory);
  const relay =
    parsed.data === undefined || !uses(['relay'])
      ? undefined
      : await resolveRelay(parsed.data, baseDirectory);
  const readsKey = controlPlane?.settings !== undefined;
  // The path of a key is in messages about it; what it holds is added below.
  const isKeyPath = (path: SettingPath, value: string): boolean =>
    inlinePem(value) === undefined &&
    ((readsKey && pathText(path) === 'controlPlane.key') ||
      (relay?.settings.key !== undefined && pathText(path) === 'relay.key'));
  collectSecrets(tree, outline, entries, { uses, isKeyPath }, secrets);
  if (controlPlane?.settings !== undefined) secrets.add(controlPlane.settings.key);
  if (relay?.settings.key !== undefined) secrets.add(relay.settings.key);

  const { openKey } = controlPlane ?? {};
  const open = openKeys(role, [
    ...resolved.openFiles.filter(
      ({ path }) => outline.secret(path) || (path[0] === 'encryption' && entries.secret(path)),
    ),
    ...(openKey === undefined ? [] : [{ path: ['controlPlane', 'key'], file: openKey }]),
    ...(relay?.openKey === undefined ? [] : [{ path: ['relay', 'key'], file: relay.openKey }]),
  ]);
  const problems: Problem[] = [
    ...gathered.problems,
    ...(kong?.problems ?? []),
    ...layering,
    ...resolved.problems,
    ...core,
    ...entries.problems.filter(({ path }) => !unresolved.has(pathText(path))),
    ...(controlPlane?.problems ?? []),
    ...(relay?.problems ?? []),
    ...open.problems,
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
    relay: relay?.settings ?? rest.relay,
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
      ...(kong?.warnings ?? []),
      ...open.warnings,
      ...roleWarnings(role, parsed.data),
    ],
  };
}

interface KnownPaths {
  readonly uses: (path: SettingPath) => boolean;
  readonly isKeyPath: (path: SettingPath, value: string) => boolean;
}

/** Values at places that a schema calls secret, whatever way they came. */
function collectSecrets(
  tree: { leaves(): readonly { path: SettingPath }[]; get(path: SettingPath): unknown },
  outline: SchemaOutline,
  entries: EntrySet,
  { uses, isKeyPath }: KnownPaths,
  secrets: Secrets,
): void {
  for (const { path } of tree.leaves()) {
    const value = tree.get(path);
    if (typeof value !== 'string' || !uses(path) || isKeyPath(path, value)) continue;
    if (outline.secret(path) || entries.secret(path)) secrets.add(value);
  }
}

/** Kong's own settings among the others; undefined when there are none. */
async function layersOfKong(
  { kong, file, environment, flags }: GatheredLayers,
  { role, env, kongVersion }: LoadSettingsOptions,
): Promise<KongLayers | undefined> {
  if (kong === undefined) return undefined;
  const { kongLayers } = await import('./kong-layers.ts');
  return kongLayers(kong, {
    role,
    file: file?.assignments,
    above: [...environment, ...flags],
    kongVersion: kongVersion ?? (async () => (await import('./kong-version.ts')).kongVersion(env)),
  });
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const child of Object.values(value)) deepFreeze(child);
  }
  return value;
}
