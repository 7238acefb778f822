import { coerce } from './coerce.ts';
import type { Secrets } from './mask.ts';
import type { OpenFile } from './open-keys.ts';
import { originText } from './origin.ts';
import type { Problem } from './problem.ts';
import { hasReference, type ReferenceSources, refersElsewhere, resolveReferences } from './references.ts';
import type { SchemaOutline } from './schema-outline.ts';
import { parsePath, pathText, type SettingPath } from './setting-path.ts';
import { type Assignment, SettingTree } from './setting-tree.ts';

/** Lays assignments over each other, in order. */
export function layTree(
  layers: readonly (readonly Assignment[])[],
  cwd: string,
): {
  tree: SettingTree;
  problems: Problem[];
} {
  const tree = new SettingTree();
  const problems: Problem[] = [];
  for (const assignment of layers.flat()) {
    const wrong = tree.assign(assignment);
    if (wrong === undefined) continue;
    problems.push({ path: assignment.path, origin: originText(assignment.origin, cwd), message: wrong });
  }
  return { tree, problems };
}

/** `--set export.delaySeconds=5` as assignments. */
export function readFlags(flags: Readonly<Record<string, string>>): {
  assignments: Assignment[];
  problems: Problem[];
} {
  const assignments: Assignment[] = [];
  const problems: Problem[] = [];
  for (const [name, value] of Object.entries(flags)) {
    const path = parsePath(name);
    if (path === undefined) {
      problems.push({
        path: [],
        message: `--set ${name}: expected a path such as export.delaySeconds or storages[0].bucket`,
      });
    } else assignments.push({ path, value, origin: { kind: 'flag', name: `--set ${name}` }, text: true });
  }
  return { assignments, problems };
}

export interface ReferenceResult {
  /** Paths whose value, or a part of it, came through a reference. */
  readonly masked: ReadonlySet<string>;
  readonly problems: readonly Problem[];
  /** Files of references that every user of the machine may read. */
  readonly openFiles: readonly OpenFile[];
}

/**
 * Resolves the references in what this role uses. In the rest a core setting that holds one is left out, and a
 * plugin's setting stays as it is written.
 */
export async function resolveTree(
  tree: SettingTree,
  outline: SchemaOutline,
  sources: ReferenceSources,
  uses: (path: SettingPath) => boolean,
  secrets: Secrets,
): Promise<ReferenceResult> {
  const masked = new Set<string>();
  const problems: Problem[] = [];
  const open: OpenFile[] = [];
  for (const { path } of tree.leaves()) {
    const value = tree.get(path);
    if (typeof value !== 'string' || !hasReference(value)) continue;
    if (!uses(path) && refersElsewhere(value)) {
      if (!inEntry(outline, path)) tree.remove(path);
      continue;
    }
    try {
      const { text, parts, openFiles } = await resolveReferences(value, sources);
      tree.set(path, text);
      for (const part of parts) secrets.add(part);
      if (parts.length > 0) masked.add(pathText(path));
      open.push(...openFiles.map((file) => ({ path, file })));
    } catch (error) {
      problems.push({ path, message: (error as Error).message });
      // One problem is enough: what stands there would only be reported as a wrong value as well.
    }
  }
  return { masked, problems, openFiles: open };
}

/** Gives text its type wherever the core's schema knows it. */
export function coerceTree(
  tree: SettingTree,
  outline: SchemaOutline,
  isText: (path: SettingPath) => boolean,
): void {
  for (const { path } of tree.leaves()) {
    const value = tree.get(path);
    if (typeof value !== 'string' || !isText(path)) continue;
    if (inEntry(outline, path) && outline.types(path).size === 0) continue;
    tree.set(path, coerce(value, outline, path));
  }
}

/** Strictly inside a plugin's entry. */
const inEntry = (outline: SchemaOutline, path: SettingPath): boolean =>
  path.slice(0, -1).some((_, i) => outline.keyword(path.slice(0, i + 1), 'pluginKind') !== undefined);
