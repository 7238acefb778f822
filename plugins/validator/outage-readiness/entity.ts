export type Entity = Readonly<Record<string, unknown>>;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const PLAIN_NAME = /^[A-Za-z0-9_.-]{1,64}$/;

export function entitiesOf(table: Entity, name: string): readonly unknown[] {
  const entities = Object.hasOwn(table, name) ? table[name] : undefined;
  return Array.isArray(entities) ? entities : [];
}

export const isEntity = (value: unknown): value is Entity =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** An id only if it is one, a name only if it is plain: whatever else stands there could be a secret. */
export function shown(collection: string, { id, name }: Entity, position: number): string {
  const entity = isUuid(id) ? `${collection} ${id}` : `entry ${position + 1} of ${collection}`;
  return isPlain(name) ? `${entity} (${name})` : entity;
}

export function pathOf(collection: string, { id }: Entity, position: number, field: string): string[] {
  return [collection, isUuid(id) ? id : `#${position + 1}`, field];
}

export const isPlain = (name: unknown): name is string => typeof name === 'string' && PLAIN_NAME.test(name);
const isUuid = (id: unknown): id is string => typeof id === 'string' && UUID.test(id);
