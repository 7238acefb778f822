import { COLLECTIONS, type Collection } from './collections.ts';
import { type Entity, type Group, isEntity, pathOf, shownEntity, shownName } from './entity.ts';
import type { FindingList } from './finding-list.ts';

/** Kong itself nests as deep as references chain: a certificate's services' routes' plugins, and one to spare. */
const MAX_NESTING = 5;
const NO_RULES: Collection = {};

type Table = Readonly<Record<string, unknown>>;

/** parent collection -> collections that refer to it, which Kong therefore admits inside its entities. */
const CHILDREN: ReadonlyMap<string, readonly string[]> = childrenByParent();

/** The document's entities by collection, after looking at their shape. */
export function groupsOf(table: Table, findings: FindingList): readonly Group[] {
  const found = new Map<string, Entity[]>();
  for (const name of Object.keys(table)) {
    if (name.startsWith('_')) continue;
    const entities = entitiesOf(name, table[name], findings);
    found.set(name, entities);
  }
  for (const [name, entities] of [...found]) adoptChildren(name, entities, found, 1);
  return [...found].map(([name, entities]) => ({
    name,
    collection: COLLECTIONS.get(name) ?? NO_RULES,
    entities,
  }));
}

function entitiesOf(name: string, value: unknown, findings: FindingList): Entity[] {
  if (!Array.isArray(value)) {
    // lua-cjson writes an empty array as {}.
    if (!(isEntity(value) && Object.keys(value).length === 0)) notACollection(name, findings);
    return [];
  }
  if (value.every(isEntity)) return value;
  return value.filter((entity, position): entity is Entity => {
    if (isEntity(entity)) return true;
    findings.add({
      rule: 'not-an-entity',
      message: `${shownEntity(name.slice(0, 64), entity, position)} is no object`,
      hint: 'Every entry of a collection is an object with the fields of one entity.',
      path: pathOf(name.slice(0, 64), entity, position),
      recorded: false,
    });
    return false;
  });
}

function adoptChildren(
  parent: string,
  entities: readonly Entity[],
  found: Map<string, Entity[]>,
  depth: number,
): void {
  const children = CHILDREN.get(parent);
  if (children === undefined || depth > MAX_NESTING) return;
  for (const child of children) {
    const nested = nestedIn(entities, child);
    if (nested.length === 0) continue;
    // A new array: the former may be the document's own, which is not to be changed.
    found.set(child, [...(found.get(child) ?? []), ...nested]);
    adoptChildren(child, nested, found, depth + 1);
  }
}

function nestedIn(parents: readonly Entity[], child: string): Entity[] {
  const nested: Entity[] = [];
  for (const parent of parents) {
    const value = parent[child];
    // Nearly always absent: this runs for each entity and each collection that may be nested in it.
    if (value === undefined || !Array.isArray(value)) continue;
    for (const entity of value) if (isEntity(entity)) nested.push(entity);
  }
  return nested;
}

function notACollection(name: string, findings: FindingList): void {
  findings.add({
    rule: 'not-a-collection',
    message: `${shownName(name)} is neither an array nor {}`,
    hint: 'Every member at the top level whose name has no leading underscore is an array of entities.',
    path: [name.slice(0, 64)],
    recorded: false,
  });
}

function childrenByParent(): Map<string, string[]> {
  const children = new Map<string, string[]>();
  for (const [child, { references }] of COLLECTIONS) {
    for (const parent of new Set(Object.values(references ?? {}))) {
      children.set(parent, [...(children.get(parent) ?? []), child]);
    }
  }
  return children;
}
