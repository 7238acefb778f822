import { COLLECTIONS } from './collections.ts';
import { type Group, isSet, isUuid, pathOf, shownEntity } from './entity.ts';
import type { FindingList } from './finding-list.ts';

/** collection -> its primary keys. Filled here, asked by the reference check. */
export type Ids = ReadonlyMap<string, ReadonlySet<unknown>>;

/** Ids are UUIDs and unique in their collection. */
export function checkIds(groups: readonly Group[], findings: FindingList): Ids {
  const ids = new Map<string, Set<unknown>>();
  for (const group of groups) ids.set(group.name, idsOf(group, findings));
  return ids;
}

function idsOf({ name, collection, entities }: Group, findings: FindingList): Set<unknown> {
  const field = collection.primaryKey ?? 'id';
  const ids = new Set<unknown>();
  // Nobody refers to it, and its primary key may be another field or several.
  if (!COLLECTIONS.has(name)) return ids;
  let unnamed = 0;
  for (let position = 0; position < entities.length; position++) {
    const entity = entities[position];
    const id = entity?.[field];
    if (!isSet(id)) {
      if (!isSet(collection.key === undefined ? undefined : entity?.[collection.key])) unnamed++;
      continue;
    }
    if (field === 'id' && !isUuid(id)) notAnId(name, entity, position, findings);
    const before = ids.size;
    ids.add(id);
    if (ids.size === before) duplicateId(name, entity, position, field, findings);
  }
  if (unnamed > 0) withoutId(name, unnamed, field, findings);
  return ids;
}

function notAnId(group: string, entity: unknown, position: number, findings: FindingList): void {
  findings.add({
    rule: 'id',
    message: `the id of ${shownEntity(group, entity, position)} is no UUID`,
    hint: 'Kong refuses an id in any other form; leave it out to let Kong derive one from the name.',
    path: pathOf(group, entity, position, 'id'),
    recorded: false,
  });
}

function duplicateId(
  group: string,
  entity: unknown,
  position: number,
  field: string,
  findings: FindingList,
): void {
  findings.add({
    rule: 'duplicate-id',
    message: `${shownEntity(group, entity, position)} has the same ${field} as an entry before it`,
    hint: 'One of the two would disappear; correct the source of the configuration.',
    path: pathOf(group, entity, position, field),
    recorded: true,
  });
}

function withoutId(group: string, count: number, field: string, findings: FindingList): void {
  findings.warn({
    rule: 'no-id',
    message: `${count} entries of ${group} have neither ${field} nor a name to derive one from`,
    hint: 'A data plane gives them another id at every load; what counts by id (rate limits, metrics) starts anew.',
    path: [group],
  });
}
