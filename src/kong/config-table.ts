/** What a document holds, without its contents. */
export interface TableDescription {
  /** Entities by collection; a collection that Kong wrote as `{}` is an empty array. */
  readonly counts: Readonly<Record<string, number>>;
  /** Names of the plugins in use, sorted, each once. */
  readonly plugins: readonly string[];
  /** True when there is nothing but what a fresh database holds: workspaces and parameters. */
  readonly empty: boolean;
  readonly formatVersion: string | null;
  /** `_transform`; null when absent, which Kong reads as true. */
  readonly transform: boolean | null;
}

const IN_A_FRESH_DATABASE = new Set(['workspaces', 'parameters']);

/** Keeps no list of collections: what Kong adds later is counted like the rest. */
export function describeTable(table: Readonly<Record<string, unknown>>): TableDescription {
  const counts = countEntities(table);
  return {
    counts,
    plugins: pluginNames(table['plugins']),
    empty: Object.entries(counts).every(([name, count]) => count === 0 || IN_A_FRESH_DATABASE.has(name)),
    formatVersion: typeof table['_format_version'] === 'string' ? table['_format_version'] : null,
    transform: typeof table['_transform'] === 'boolean' ? table['_transform'] : null,
  };
}

function countEntities(table: Readonly<Record<string, unknown>>): Record<string, number> {
  const counts: [string, number][] = [];
  for (const [name, value] of Object.entries(table)) {
    if (name.startsWith('_')) continue;
    if (Array.isArray(value)) counts.push([name, value.length]);
    else if (isEmptyObject(value)) counts.push([name, 0]);
  }
  // Sorted, since the order of keys in a frame is random, and by entries, which `__proto__` cannot reach.
  return Object.fromEntries(counts.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function pluginNames(plugins: unknown): string[] {
  if (!Array.isArray(plugins)) return [];
  const names = plugins.map((plugin: { name?: unknown } | null) => plugin?.name);
  return [...new Set(names.filter((name): name is string => typeof name === 'string'))].sort();
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
