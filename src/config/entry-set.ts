import { FallbackError } from '../errors/index.ts';
import type { PluginKind } from '../plugin/plugin.ts';
import { type EntryContext, type LoadedEntry, loadEntry } from './plugin-entry.ts';
import type { Problem } from './problem.ts';
import { ENTRY_KEYS } from './schema-entries.ts';
import type { SchemaOutline } from './schema-outline.ts';
import { pathText, type SettingPath, startsWith } from './setting-path.ts';
import { getAt } from './setting-tree.ts';

/** Plugins that the role needs, loaded and checked; what it does not need is empty. */
export interface LoadedEntries {
  readonly storages: readonly LoadedEntry[];
  readonly encryption: readonly LoadedEntry[];
  readonly validators: readonly LoadedEntry[];
  readonly source: LoadedEntry | undefined;
  readonly target: LoadedEntry | undefined;
}

export interface EntrySet {
  readonly loaded: LoadedEntries;
  readonly problems: readonly Problem[];
  /** Outline of each plugin's settings with the place of its entry. */
  readonly outlines: readonly { readonly path: SettingPath; readonly outline: SchemaOutline }[];
  /** True where a plugin's schema says `secret: true`. */
  secret(path: SettingPath): boolean;
  /** True inside an entry whose plugin describes nothing or was not loaded: nobody can tell what is secret there. */
  opaque(path: SettingPath): boolean;
}

/** Places of plugin entries, by kind; a list or a single one. */
const PLACES: readonly { readonly kind: PluginKind; readonly path: SettingPath }[] = [
  { kind: 'storage', path: ['storages'] },
  { kind: 'encryption', path: ['encryption'] },
  { kind: 'validator', path: ['validators'] },
  { kind: 'source', path: ['source'] },
  { kind: 'target', path: ['bootstrap', 'target'] },
];

/** Loads the plugins of every entry that the role uses, checks their settings and that their ids are unique. */
export async function loadEntries(
  settings: unknown,
  context: EntryContext,
  uses: (path: SettingPath) => boolean,
  unresolved: ReadonlySet<string>,
): Promise<EntrySet> {
  const problems: Problem[] = [];
  const outlines: { path: SettingPath; outline: SchemaOutline }[] = [];
  const byKind = new Map<PluginKind, LoadedEntry[]>();
  for (const { kind, path } of PLACES) {
    const value = getAt(settings, path);
    if (value === undefined || !uses(path)) continue;
    const places = Array.isArray(value) ? value.map((_, i) => [...path, i]) : [path];
    const entries: LoadedEntry[] = [];
    for (const place of places) {
      if (unresolved.has(pathText(place)) || unresolved.has(pathText([...place, 'use']))) continue;
      const result = await loadEntry(kind, place, getAt(settings, place), context);
      problems.push(...result.problems);
      if (result.outline !== undefined) outlines.push({ path: place, outline: result.outline });
      if (result.entry !== undefined) entries.push(result.entry);
    }
    problems.push(...duplicates(kind, entries));
    byKind.set(kind, entries);
  }
  const of = (kind: PluginKind): readonly LoadedEntry[] => byKind.get(kind) ?? [];
  return {
    loaded: {
      storages: of('storage'),
      encryption: of('encryption'),
      validators: of('validator'),
      source: of('source')[0],
      target: of('target')[0],
    },
    problems,
    outlines,
    secret: (path) =>
      outlines.some((at) => startsWith(path, at.path) && at.outline.secret(path.slice(at.path.length))),
    opaque: (path) => isOwnSetting(path) && !outlines.some((at) => startsWith(path, at.path)),
  };
}

/** A setting of a plugin rather than of the core. */
function isOwnSetting(path: SettingPath): boolean {
  const place = PLACES.find((at) => startsWith(path, at.path));
  if (place === undefined) return false;
  const key = path.slice(place.path.length).find((part) => typeof part === 'string');
  return key !== undefined && !ENTRY_KEYS[place.kind].includes(key);
}

function duplicates(kind: PluginKind, entries: readonly LoadedEntry[]): Problem[] {
  const seen = new Map<string, LoadedEntry>();
  const problems: Problem[] = [];
  for (const entry of entries) {
    const former = seen.get(entry.id);
    if (former === undefined) {
      seen.set(entry.id, entry);
      continue;
    }
    const message = `${pathText(entry.path)} has the id ${entry.id} that ${pathText(former.path)} has already`;
    const error = new FallbackError(
      'invalid',
      'KF_PLUGIN_DUPLICATE_ID',
      `two ${kind} plugins have one id: ${message}`,
      {
        hint: 'Give one of them another id: { use: …, id: … }; an entry without id is called like its plugin.',
      },
    );
    problems.push({ path: [...entry.path, 'id'], message: error.message, error });
  }
  return problems;
}
