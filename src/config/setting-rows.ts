import type { EntrySet } from './entry-set.ts';
import { MASK, type Secrets } from './mask.ts';
import { DEFAULT_ORIGIN, originText } from './origin.ts';
import type { SchemaOutline } from './schema-outline.ts';
import { pathText, type SettingPath, startsWith } from './setting-path.ts';
import { isPlain, leavesOf, type SettingTree } from './setting-tree.ts';

/** One value as it is shown. */
export interface SettingRow {
  readonly path: string;
  /** '***' for a secret. */
  readonly value: unknown;
  readonly origin: string;
}

export interface RowSources {
  readonly tree: SettingTree;
  readonly outline: SchemaOutline;
  /** With defaults. */
  readonly effective: unknown;
  readonly entries: EntrySet;
  readonly masked: ReadonlySet<string>;
  readonly secrets: Secrets;
  readonly cwd: string;
}

/**
 * Every value with its origin: what was written, then the defaults of the core and of the loaded plugins, in the
 * order of the schema. Plugin defaults come from their JSON Schemas: what a plugin's schema made of a secret is
 * never looked at.
 */
export function settingRows({
  tree,
  outline,
  effective,
  entries,
  masked,
  secrets,
  cwd,
}: RowSources): SettingRow[] {
  const written = tree.leaves().map(({ path, origin }) => ({ path, value: tree.get(path), origin }));
  const has = (path: SettingPath): boolean =>
    written.some((leaf) => startsWith(leaf.path, path) || startsWith(path, leaf.path));
  const defaults = (leavesOf(effective) ?? []).filter(({ path, value }) => !has(path) && !isEmpty(value));
  const pluginDefaults = entries.outlines.flatMap(({ path: at, outline: plugin }) =>
    plugin.keys([]).flatMap((key) => {
      const value = plugin.keyword([key], 'default');
      const path = [...at, key];
      return value === undefined || has(path)
        ? []
        : (leavesOf({ [key]: value }) ?? []).map((leaf) => ({
            path: [...at, ...leaf.path],
            value: leaf.value,
          }));
    }),
  );
  const rows = [
    ...written,
    ...[...defaults, ...pluginDefaults].map((leaf) => ({ ...leaf, origin: DEFAULT_ORIGIN })),
  ];
  const order = outline.keys([]);
  // Entries of a list stay together although their defaults come last.
  const rank = ({ path: [section, number] }: { path: SettingPath }): number =>
    order.indexOf(String(section)) * 1000 + (typeof number === 'number' ? number : 0);
  const secret = (path: SettingPath): boolean =>
    masked.has(pathText(path)) || outline.secret(path) || entries.secret(path) || entries.opaque(path);
  return rows
    .map((row) => ({ ...row, rank: rank(row) }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ path, value, origin }) => ({
      path: pathText(path),
      value: secret(path) ? MASK : typeof value === 'string' ? secrets.mask(value) : value,
      origin: originText(origin, cwd),
    }));
}

const isEmpty = (value: unknown): boolean => isPlain(value) && Object.keys(value).length === 0;
