import { FallbackError } from '../errors/index.ts';
import type { Plugin, PluginKind } from '../plugin/plugin.ts';
import type { StandardIssue } from '../plugin/standard-schema.ts';
import type { PluginCatalogue, PluginFolders, PluginReference } from './catalogue.ts';
import { coerce } from './coerce.ts';
import { upperSnake } from './environment.ts';
import type { Problem } from './problem.ts';
import { ENTRY_KEYS } from './schema-entries.ts';
import { SchemaOutline } from './schema-outline.ts';
import { schemaProblems } from './schema-problems.ts';
import { pathText, type SettingPath } from './setting-path.ts';
import { isPlain, leavesOf, type Plain, type SettingTree, setAt } from './setting-tree.ts';
import { unknownKey } from './unknown-key.ts';

/** A plugin entry of the settings, its plugin loaded and its settings checked. */
export interface LoadedEntry {
  readonly kind: PluginKind;
  /** Unique among its kind. */
  readonly id: string;
  readonly use: string;
  readonly plugin: Plugin;
  readonly reference: PluginReference;
  /** What the plugin's schema made of its settings. */
  readonly settings: unknown;
  /** Storage only; '' for none. */
  readonly prefix: string;
  /** Storage only. */
  readonly singleWriter: boolean;
  /** Where it stands in the settings. */
  readonly path: SettingPath;
}

export interface EntryContext {
  readonly tree: SettingTree;
  readonly catalogue: PluginCatalogue;
  readonly folders: PluginFolders;
  /** Text whose type a schema has yet to decide. */
  readonly isText: (path: SettingPath) => boolean;
}

export interface EntryResult {
  readonly entry?: LoadedEntry;
  readonly outline?: SchemaOutline | undefined;
  readonly problems: readonly Problem[];
}

/** Loads the plugin of one entry and checks the entry's own settings against it. Never rejects. */
export async function loadEntry(
  kind: PluginKind,
  path: SettingPath,
  given: unknown,
  context: EntryContext,
): Promise<EntryResult> {
  const { catalogue, folders } = context;
  const use = typeof given === 'string' ? given : isPlain(given) ? given['use'] : undefined;
  // A malformed entry is the core schema's problem.
  if (typeof use !== 'string' || use === '') return { problems: [] };
  try {
    const { plugin, reference } = await catalogue.resolve(kind, use, folders);
    const outline = outlineOf(plugin);
    const own = isPlain(given) ? ownSettings(given, kind, path, outline, context) : {};
    const checked = await plugin.settings['~standard'].validate(own);
    const unknown = unknownKeys(own, kind, outline);
    const judged = issuesOf(checked.issues ?? [], own, plugin, kind, outline);
    // A strict schema and the check above may both name a key; ours says what was meant.
    const judgedOnce = judged.filter(
      ({ path: at }) => !unknown.some((problem) => pathText(problem.path) === pathText(at)),
    );
    if (unknown.length + judged.length > 0 || checked.issues !== undefined) {
      const problems = [...unknown, ...judgedOnce].map((problem) => ({
        ...problem,
        path: [...path, ...problem.path],
      }));
      return { problems, outline };
    }
    const entry: LoadedEntry = {
      kind,
      id: isPlain(given) && typeof given['id'] === 'string' ? given['id'] : use,
      use,
      plugin,
      reference,
      settings: checked.value,
      prefix:
        isPlain(given) && typeof given['prefix'] === 'string' && kind === 'storage' ? given['prefix'] : '',
      singleWriter: isPlain(given) && kind === 'storage' && given['singleWriter'] === true,
      path,
    };
    return { entry, problems: [], outline };
  } catch (cause) {
    const error =
      cause instanceof FallbackError
        ? cause
        : new FallbackError(
            'invalid',
            'KF_PLUGIN_INVALID',
            `${kind} plugin ${use}: checking its settings failed: ${String(cause)}`,
            {
              cause,
              hint: 'This is a fault of the plugin: its settings schema must answer, not throw. Report it to its author.',
            },
          );
    return { problems: [{ path, message: error.message, error }] };
  }
}

/** The plugin's JSON Schema, where it offers one that can be made. */
function outlineOf(plugin: Plugin): SchemaOutline | undefined {
  try {
    const schema = plugin.settings['~standard'].jsonSchema?.input({ target: 'draft-2020-12' });
    return schema === undefined ? undefined : new SchemaOutline(schema);
  } catch {
    return undefined;
  }
}

/** Everything that is not the core's; text gets its type, and names from the environment their spelling. */
function ownSettings(
  given: Plain,
  kind: PluginKind,
  path: SettingPath,
  outline: SchemaOutline | undefined,
  { tree, isText }: EntryContext,
): Plain {
  const open = outline ?? new SchemaOutline({});
  const known = open.keys([]);
  const own: Plain = {};
  for (const [name, value] of Object.entries(structuredClone(given))) {
    if (ENTRY_KEYS[kind].includes(name)) continue;
    // From a variable alone `endpointURL` cannot be told from `endpointUrl`.
    const spelled = known.find((key) => upperSnake(key) === upperSnake(name));
    const fromText = isText([...path, name]);
    own[fromText && !known.includes(name) ? (spelled ?? name) : name] = value;
    for (const leaf of leavesOf({ [name]: value }) ?? []) {
      const at = [...path, ...leaf.path];
      if (typeof leaf.value !== 'string' || !isText(at)) continue;
      const within = [...(spelled === undefined ? [name] : [spelled]), ...leaf.path.slice(1)];
      const typed = coerce(leaf.value, open, within);
      tree.set(at, typed);
      setAt(own, within, typed);
    }
  }
  return own;
}

/** What the plugin's schema found, with paths inside the entry. zod's issues are put into the core's words. */
function issuesOf(
  issues: readonly StandardIssue[],
  own: Plain,
  plugin: Plugin,
  kind: PluginKind,
  outline: SchemaOutline | undefined,
): Problem[] {
  if (plugin.settings['~standard'].vendor === 'zod' && issues.every((issue) => 'code' in issue)) {
    return schemaProblems(issues as never, own, outline ?? new SchemaOutline({}), ENTRY_KEYS[kind]);
  }
  return issues.map(({ path = [], message }) => ({
    path: path
      .map((part) => (typeof part === 'object' ? part.key : part))
      .map((part) => (typeof part === 'number' ? part : String(part))),
    message,
  }));
}

/** For schemas that let unknown keys pass silently although they list the known ones. */
function unknownKeys(own: Plain, kind: PluginKind, outline: SchemaOutline | undefined): Problem[] {
  if (outline === undefined || !outline.closed([])) return [];
  const known = outline.keys([]);
  return Object.keys(own)
    .filter((key) => !known.includes(key))
    .map((key) => unknownKey([key], [...known, ...ENTRY_KEYS[kind]]));
}
