// Two parsed documents → what changed, by entity. Runs in the document worker; its result is bounded and holds no secret.
import { entityName, MASKED, shownId, shownName, shownValue } from './diff-secrets.ts';

export interface DiffOptions {
  /** Entities at most; the counts are of all. */
  readonly limit: number;
  /** Also what the fields held and hold, masked where that may be a secret. */
  readonly values: boolean;
}

export interface FieldChange {
  /** "config.minute" */
  readonly path: string;
  readonly from?: string;
  readonly to?: string;
}

export interface EntityChange {
  readonly change: 'added' | 'removed' | 'changed';
  readonly collection: string;
  readonly id: string | null;
  readonly name: string | null;
  /** Of a changed one. */
  readonly fields: readonly FieldChange[];
  readonly moreFields: number;
}

export interface SnapshotDiff {
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
  readonly changes: readonly EntityChange[];
}

type Table = Readonly<Record<string, unknown>>;

const MOST_FIELDS = 20;
const LONGEST_PATH = 256;
/** What Kong writes with every change says nothing. */
const TOUCHED = 'updated_at';
/** Collections are somebody's names too. */
const COLLECTION = /^[a-z][a-z0-9_]{0,63}$/;

export function diffTables(from: Table, to: Table, options: DiffOptions): SnapshotDiff {
  const count = { added: 0, removed: 0, changed: 0 };
  const changes: EntityChange[] = [];
  const note = (change: EntityChange) => {
    count[change.change]++;
    if (changes.length < options.limit) changes.push(change);
  };
  for (const collection of [...new Set([...Object.keys(from), ...Object.keys(to)])].sort()) {
    const [before, after] = [own(from, collection), own(to, collection)];
    const shown = COLLECTION.test(collection) || collection.startsWith('_') ? collection : MASKED;
    if (!holdsEntities(before) || !holdsEntities(after)) {
      if (!isEmpty(before) || !isEmpty(after)) documentField(shown, before, after, note);
      continue;
    }
    diffCollection(shown, byIdentity(before), byIdentity(after), options, note);
  }
  return { ...count, changes };
}

function diffCollection(
  collection: string,
  before: ReadonlyMap<string, Table>,
  after: ReadonlyMap<string, Table>,
  { values }: DiffOptions,
  note: (change: EntityChange) => void,
): void {
  const about = (entity: Table) => ({
    collection,
    id: shownId(own(entity, 'id')),
    name: entityName(collection, entity),
  });
  for (const [identity, entity] of after) {
    const former = before.get(identity);
    if (former === undefined) {
      note({ change: 'added', ...about(entity), fields: [], moreFields: 0 });
      continue;
    }
    const all = changedPaths(former, entity);
    const told = all.length > 1 ? all.filter(({ path }) => path[0] !== TOUCHED) : all;
    if (told.length === 0) continue;
    const fields = told.slice(0, MOST_FIELDS).map(({ path, from, to }): FieldChange => {
      const name = path.join('.');
      const shown = path.map(shownName).join('.').slice(0, LONGEST_PATH);
      if (!values) return { path: shown };
      return { path: shown, from: shownValue(collection, name, from), to: shownValue(collection, name, to) };
    });
    note({ change: 'changed', ...about(entity), fields, moreFields: told.length - fields.length });
  }
  for (const [identity, entity] of before) {
    if (!after.has(identity)) note({ change: 'removed', ...about(entity), fields: [], moreFields: 0 });
  }
}

function documentField(
  name: string,
  before: unknown,
  after: unknown,
  note: (change: EntityChange) => void,
): void {
  if (same(before, after)) return;
  const change = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
  note({ change, collection: name, id: null, name: null, fields: [], moreFields: 0 });
}

/** By id; what has none by its whole content, so that a change of it is a removal and an addition. */
function byIdentity(collection: unknown): Map<string, Table> {
  const found = new Map<string, Table>();
  if (!Array.isArray(collection)) return found;
  for (const table of collection as Table[]) {
    const id = own(table, 'id');
    found.set(typeof id === 'string' ? `id ${id}` : `content ${canonical(table)}`, table);
  }
  return found;
}

interface ChangedPath {
  readonly path: readonly string[];
  readonly from: unknown;
  readonly to: unknown;
}

/** Objects are entered, arrays are compared whole: an index says nothing to a person. */
function changedPaths(before: Table, after: Table, path: readonly string[] = []): ChangedPath[] {
  const changed: ChangedPath[] = [];
  for (const name of [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()) {
    const [from, to] = [own(before, name), own(after, name)];
    if (isTable(from) && isTable(to)) changed.push(...changedPaths(from, to, [...path, name]));
    else if (!same(from, to)) changed.push({ path: [...path, name], from, to });
  }
  return changed;
}

function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  // Kong writes an empty list as an empty object.
  if (isEmpty(a) && isEmpty(b)) return (a === undefined) === (b === undefined);
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  return canonical(a) === canonical(b);
}

/** A control plane writes members in random order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, member: unknown) =>
    isTable(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : Number(a > b))))
      : member,
  );
}

/** Nothing at all is an empty collection, which Kong may write as an object. */
const holdsEntities = (value: unknown): boolean =>
  Array.isArray(value) ? value.every(isTable) : value === undefined || (isTable(value) && isEmpty(value));

const own = (table: Table, name: string): unknown => (Object.hasOwn(table, name) ? table[name] : undefined);

const isTable = (value: unknown): value is Table =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isEmpty = (value: unknown): boolean =>
  value === undefined || (typeof value === 'object' && value !== null && Object.keys(value).length === 0);
