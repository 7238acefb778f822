import { type Group, isSet, pathOf, shownEntity } from './entity.ts';
import type { FindingList } from './finding-list.ts';

/** What names an entity is unique among the entities of its collection and workspace. */
export function checkNames(groups: readonly Group[], findings: FindingList): void {
  for (const group of groups) {
    if (group.collection.key !== undefined) checkGroup(group, group.collection.key, findings);
  }
}

function checkGroup({ name: group, collection, entities }: Group, key: string, findings: FindingList): void {
  const workspaces = new Map<unknown, Set<unknown>>();
  for (let position = 0; position < entities.length; position++) {
    const entity = entities[position];
    const name = entity?.[key];
    if (!isSet(name)) continue;
    const workspace = entity?.['ws_id'] ?? null;
    const names = workspaces.get(workspace) ?? new Set();
    workspaces.set(workspace, names);
    const before = names.size;
    names.add(name);
    if (names.size > before) continue;
    // Only where, never what: the key of a credential is a secret.
    findings.add({
      rule: 'duplicate-name',
      message: `${shownEntity(group, entity, position)} has the same ${key} as an entry before it`,
      hint: 'A data plane refuses the whole document for it; rename one of the two where they come from.',
      path: pathOf(group, entity, position, key),
      recorded: collection.unrecorded !== true,
    });
  }
}
