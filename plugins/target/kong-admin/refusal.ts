// The answer to POST /config?flatten_errors=1 as one line. It repeats the entities whole, credentials and keys included:
// only what is wrong is shown, never a value.

const MOST_ENTITIES = 5;
const MOST_ERRORS = 3;
const LONGEST_MESSAGE = 200;
const MOST_VALUES = 2000;
const DEEPEST = 32;
/** Shorter ones blank out half of every message, and are no secrets. */
const SHORTEST_SECRET = 4;

interface FlattenedError {
  readonly entity_type?: unknown;
  readonly entity_name?: unknown;
  readonly entity_id?: unknown;
  readonly entity?: unknown;
  readonly errors?: unknown;
}

export function refusalText(body: string): string {
  let parsed: { message?: unknown; flattened_errors?: unknown } | null;
  try {
    parsed = JSON.parse(body) as typeof parsed;
  } catch {
    return 'without saying why';
  }
  const entities = asList(parsed?.flattened_errors) as FlattenedError[];
  if (entities.length === 0) return shortened(masked(String(parsed?.message ?? 'without saying why'), []));
  const shown = entities.slice(0, MOST_ENTITIES).map(entityText);
  return withRest(shown, entities.length);
}

function entityText(found: FlattenedError): string {
  const { entity_type, entity_name, entity_id, entity } = found ?? {};
  const values = stringsIn(entity);
  const named = [entity_type, entity_name ?? entity_id].filter((part) => typeof part === 'string');
  const errors = asList(found?.errors) as { field?: unknown; message?: unknown }[];
  const shown = errors.slice(0, MOST_ERRORS).map((error) => {
    const text = shortened(masked(messageOf(error?.message), values));
    return typeof error?.field === 'string' ? `${error.field}: ${text}` : text;
  });
  return `${shortened(named.join(' ') || 'an entity')}: ${withRest(shown, errors.length) || 'refused'}`;
}

function withRest(shown: readonly string[], all: number): string {
  const rest = all - shown.length;
  return shown.join('; ') + (rest > 0 ? `; and ${rest} more` : '');
}

const messageOf = (message: unknown): string =>
  Array.isArray(message) ? message.map(String).join(', ') : String(message);

/** "uniqueness violation: … with key set to 'secret' already declared" names values even without the entity. */
function masked(message: string, values: readonly string[]): string {
  let text = message.replace(/(set to|value|got|found)( ?:)? '[^']*'/g, "$1$2 '***'");
  for (const value of values) text = text.replaceAll(value, '***');
  return text;
}

/** Strings in an entity, longest first. */
function stringsIn(entity: unknown): string[] {
  const found = new Set<string>();
  const visit = (value: unknown, depth: number): void => {
    if (found.size >= MOST_VALUES || depth > DEEPEST) return;
    if (typeof value === 'string') {
      if (value.length >= SHORTEST_SECRET) found.add(value);
    } else if (typeof value === 'object' && value !== null) {
      for (const child of Object.values(value)) visit(child, depth + 1);
    }
  };
  visit(entity, 0);
  return [...found].sort((a, b) => b.length - a.length);
}

const shortened = (text: string): string =>
  text.length <= LONGEST_MESSAGE ? text : `${text.slice(0, LONGEST_MESSAGE)}…`;

const asList = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
