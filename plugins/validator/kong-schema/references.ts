import { COLLECTIONS } from './collections.ts';
import { type Entity, type Group, isEntity, isSet, pathOf, shownEntity } from './entity.ts';
import type { FindingList } from './finding-list.ts';
import type { Ids } from './ids.ts';

/** Every foreign key names an entity of this document, by id or, as in files written by hand, by name. */
export function checkReferences(groups: readonly Group[], ids: Ids, findings: FindingList): void {
  const names = new Names(groups);
  for (const group of groups) {
    for (const [field, target] of Object.entries(group.collection.references ?? {})) {
      checkField(group, field, target, ids, names, findings);
    }
  }
}

function checkField(
  group: Group,
  field: string,
  target: string,
  ids: Ids,
  names: Names,
  findings: FindingList,
): void {
  const { entities } = group;
  const targetIds = ids.get(target);
  for (let position = 0; position < entities.length; position++) {
    const entity = entities[position];
    const value = entity?.[field];
    if (value === null || value === undefined) continue;
    if (targetIds?.has(value)) continue;
    if (isEntity(value) && targetIds?.has(value['id'])) continue;
    if (names.has(target, value)) continue;
    dangling(group, entity, position, field, target, findings);
  }
}

/** Built at the first miss only: a control plane's own references are ids. */
class Names {
  readonly #groups: readonly Group[];
  readonly #names = new Map<string, ReadonlySet<unknown>>();

  constructor(groups: readonly Group[]) {
    this.#groups = groups;
  }

  has(target: string, reference: unknown): boolean {
    const key = COLLECTIONS.get(target)?.key;
    if (key === undefined) return false;
    const name = isEntity(reference) ? reference[key] : reference;
    return isSet(name) && this.#namesOf(target, key).has(name);
  }

  #namesOf(target: string, key: string): ReadonlySet<unknown> {
    const known = this.#names.get(target);
    if (known !== undefined) return known;
    const entities = this.#groups.find(({ name }) => name === target)?.entities ?? [];
    const names = new Set(entities.map((entity: Entity) => entity[key]));
    this.#names.set(target, names);
    return names;
  }
}

// The reference itself is not shown: a secret may have slipped into the field.
function dangling(
  { name, collection }: Group,
  entity: unknown,
  position: number,
  field: string,
  target: string,
  findings: FindingList,
): void {
  findings.add({
    rule: 'dangling-reference',
    message: `${field} of ${shownEntity(name, entity, position)} refers to an entry of ${target} that is not there`,
    hint: 'A data plane refuses the whole document for it and keeps its old configuration.',
    path: pathOf(name, entity, position, field),
    recorded: !(collection.unrecorded ?? COLLECTIONS.get(target)?.unrecorded ?? false),
  });
}
