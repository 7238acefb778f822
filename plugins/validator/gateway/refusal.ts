// The answer to POST /config?flatten_errors=1 as findings. It repeats the entities whole, credentials and keys included:
// only what is wrong is shown, never a value.
import type { Finding } from 'kongfallback/plugin';

const MOST_FINDINGS = 50;
const MOST_ERRORS = 3;
const LONGEST_MESSAGE = 200;
const MOST_VALUES = 2000;
const DEEPEST = 32;
/** Shorter ones blank out half of every message, and are no secrets. */
const SHORTEST_SECRET = 4;
const PLAIN = /^[A-Za-z0-9_.:-]{1,64}$/;
const HINT =
  'A data plane would refuse it too: correct it at the control plane. The former configuration stays published.';

type Json = Readonly<Record<string, unknown>>;

export function refusalFindings(text: string): readonly Finding[] {
  const answer = parsed(text);
  const entities = asList(answer['flattened_errors']).filter(isObject);
  if (entities.length === 0) {
    // Cut off at 8 MiB, or an error of no entity.
    const message = answer['message'];
    const said =
      typeof message === 'string'
        ? `: ${shortened(masked(message, []))}`
        : ' without saying why that could be read';
    return [finding(`the gateway refused the configuration${said}`)];
  }
  const shown = entities.slice(0, MOST_FINDINGS).map(entityFinding);
  const more = entities.length - shown.length;
  return more === 0 ? shown : [...shown, finding(`and ${more} more entities`)];
}

function entityFinding({ entity_type, entity_name, entity_id, entity, errors }: Json): Finding {
  const values = stringsIn(entity);
  const type = plain(entity_type) ?? 'entity';
  const name = plain(entity_name) ?? plain(entity_id);
  const all = asList(errors).filter(isObject);
  const texts = all.slice(0, MOST_ERRORS).map(({ field, message }) => {
    const said = shortened(masked(messageOf(message), values));
    const where = plain(field);
    return where === undefined ? said : `${where}: ${said}`;
  });
  if (all.length > texts.length) texts.push(`and ${all.length - texts.length} more`);
  const path = [
    type,
    plain(entity_id) ?? name ?? '?',
    ...all.slice(0, 1).flatMap(({ field }) => plain(field) ?? []),
  ];
  return finding(`${type}${name === undefined ? '' : ` ${name}`}: ${texts.join('; ') || 'refused'}`, path);
}

function finding(message: string, path?: readonly string[]): Finding {
  return { code: 'gateway/refused', severity: 'error', message, hint: HINT, ...(path && { path }) };
}

function parsed(text: string): Json {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
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

const plain = (value: unknown): string | undefined =>
  typeof value === 'string' && PLAIN.test(value) ? value : undefined;
const shortened = (text: string): string =>
  text.length <= LONGEST_MESSAGE ? text : `${text.slice(0, LONGEST_MESSAGE)}…`;
const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
