import type { Collection } from './collections.ts';

export type Entity = Readonly<Record<string, unknown>>;

/** The entities of one collection: those at the top level, then those nested in their parents. */
export interface Group {
  readonly name: string;
  readonly collection: Collection;
  readonly entities: readonly Entity[];
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function isUuid(value: unknown): value is string {
  return typeof value === 'string' && value.length === 36 && UUID.test(value);
}

export function isEntity(value: unknown): value is Entity {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** JSON null and a missing member mean the same to Kong. */
export function isSet(value: unknown): boolean {
  return value !== null && value !== undefined;
}

/** For messages: an id only if it is one. Whatever else stands there could be a secret in the wrong place. */
export function shownEntity(group: string, entity: unknown, position: number): string {
  const id = isEntity(entity) ? entity['id'] : undefined;
  return isUuid(id) ? `${group} ${id}` : `entry ${position + 1} of ${group}`;
}

export function pathOf(group: string, entity: unknown, position: number, field?: string): string[] {
  const id = isEntity(entity) ? entity['id'] : undefined;
  return [group, isUuid(id) ? id : `#${position + 1}`, ...(field === undefined ? [] : [field])];
}

const PLAIN_NAME = /^[A-Za-z0-9_.-]{1,64}$/;

/** A name that the document itself chose, for messages. */
export function shownName(name: string): string {
  return PLAIN_NAME.test(name) ? `'${name}'` : `${JSON.stringify(name.slice(0, 40))}…`;
}
