// What a diff may show. In doubt it is masked: a diff is pasted into tickets.

/** Of the gateway itself, without credentials in any field; what every other collection holds is not known. */
const PLAIN_COLLECTIONS = new Set([
  'acls',
  'consumer_groups',
  'consumers',
  'routes',
  'services',
  'snis',
  'targets',
  'upstreams',
  'workspaces',
]);
/** Names, and no more, of what is otherwise a credential or a free-form setting. */
const PLAIN_FIELDS = new Set(['id', 'name', 'enabled', 'protocols', 'instance_name', 'run_on']);
const REFERENCE = /^(service|route|consumer|consumer_group|certificate|upstream|set)\.id$/;
const SECRET_NAME =
  /pass|secret|token|key|credential|auth|salt|hash|cert|private|signature|jwk|pem|bearer|cookie|session|license|header|body|url|uri|dsn|value/i;
const SECRET_VALUE = /:\/\/[^/\s]*@|-----BEGIN|[A-Za-z0-9+/_=-]{32,}/;
const CREDENTIALS = /credential|secret|token|^keys$|^certificates$|vault|license|authorization_code/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export const MASKED = '***';
const LONGEST_SHOWN = 120;
/** Paths, hosts and methods of a route. */
const MOST_ITEMS = 10;

/** A scalar as it may be shown, or `***`. */
export function shownValue(collection: string, path: string, value: unknown): string {
  if (value === undefined) return '(none)';
  if (value === null) return 'null';
  if (Array.isArray(value) && PLAIN_COLLECTIONS.has(collection) && value.length <= MOST_ITEMS) {
    return `[${value.map((item) => (typeof item === 'object' ? MASKED : shownValue(collection, path, item))).join(', ')}]`;
  }
  if (typeof value === 'object') return MASKED;
  const last = path.split('.').at(-1) ?? '';
  if (UUID.test(String(value)) && (path === 'id' || REFERENCE.test(path))) return String(value);
  if (CREDENTIALS.test(collection)) return MASKED;
  if (SECRET_VALUE.test(String(value))) return MASKED;
  if (PLAIN_COLLECTIONS.has(collection)) {
    // A route's headers and what follows a secret name are masked here as well.
    return path.split('.').some((name) => SECRET_NAME.test(name)) ? MASKED : shortened(value);
  }
  if (PLAIN_FIELDS.has(path)) return shortened(value);
  if (typeof value === 'string' || SECRET_NAME.test(last)) return MASKED;
  return shortened(value);
}

/** A member's name. Those of free-form maps are somebody's data: one that looks like a token is not repeated. */
export const shownName = (name: string): string =>
  /^[A-Za-z_][A-Za-z0-9_-]{0,47}$/.test(name) && !(name.length > 20 && /\d/.test(name)) ? name : MASKED;

/** An id only if it is one: whatever else stands there could be a secret in the wrong place, or end a terminal's line. */
export const shownId = (id: unknown): string | null =>
  typeof id !== 'string' ? null : UUID.test(id.toLowerCase()) ? id : MASKED;

/** What a person calls an entity; null where the only name is a credential. */
export function entityName(collection: string, entity: Readonly<Record<string, unknown>>): string | null {
  if (CREDENTIALS.test(collection)) return null;
  for (const field of ['name', 'username', 'target', 'group']) {
    const value = entity[field];
    if (typeof value === 'string' && value !== '' && !SECRET_VALUE.test(value)) return shortened(value);
  }
  return null;
}

function shortened(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
}
