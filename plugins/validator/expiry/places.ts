import type { ConfigDocument } from 'kongfallback/plugin';
import { certificatesIn, looksLikePem } from './not-after.ts';
import { hasPemElsewhere } from './pem-count.ts';

type Table = Readonly<Record<string, unknown>>;

/** One certificate and where it stands. */
export interface Place {
  readonly pem: string;
  /** A data plane loads no configuration with an expired one of these; others it loads. */
  readonly isCa: boolean;
  /** "ca_certificates <id>". */
  readonly shown: string;
  readonly path: readonly string[];
}

/** As deep as plugin settings are looked at; Kong's own go to about 6. */
const DEEPEST = 32;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const PLAIN_NAME = /^[A-Za-z0-9_.-]{1,64}$/;

/** CA certificates, of which Kong takes one per entity (kong/db/schema/entities/ca_certificates.lua at 3.9.1). */
export function* caPlaces(table: Table): Generator<Place> {
  for (const [entity, position] of entitiesOf(table, 'ca_certificates')) {
    const { cert } = entity;
    if (isText(cert)) yield placeOf('ca_certificates', entity, position, ['cert'], cert, true);
  }
}

/** Certificates that data planes present, and whatever plugins hold in their settings. */
export function* leafPlaces({ bytes, table }: ConfigDocument): Generator<Place> {
  for (const [entity, position] of entitiesOf(table, 'certificates')) {
    for (const field of ['cert', 'cert_alt']) {
      const pem = entity[field];
      // The first of a chain: it is the one that ends first, and what follows is the CA's own business.
      if (isText(pem)) yield placeOf('certificates', entity, position, [field], firstOf(pem), false);
    }
  }
  if (!hasPemElsewhere(bytes, table)) return;
  for (const [entity, position] of entitiesOf(table, 'plugins')) {
    for (const [field, text] of pemsIn(entity['config'], 0)) {
      for (const pem of certificatesIn(text))
        yield placeOf('plugins', entity, position, ['config', field], pem, false);
    }
  }
}

function* entitiesOf(table: Table, name: string): Generator<[Table, number]> {
  const entities = Object.hasOwn(table, name) ? table[name] : undefined;
  if (!Array.isArray(entities)) return;
  for (let position = 0; position < entities.length; position++) {
    const entity: unknown = entities[position];
    if (typeof entity === 'object' && entity !== null) yield [entity as Table, position];
  }
}

/** Texts with a certificate, each with the field's own name. Not a generator: this runs for every plugin there is. */
function pemsIn(value: unknown, depth: number, name = '', found: [string, string][] = []): typeof found {
  if (typeof value === 'string') {
    if (looksLikePem(value)) found.push([name, value]);
  } else if (typeof value === 'object' && value !== null && depth < DEEPEST) {
    for (const [key, child] of Object.entries(value))
      if (typeof child === 'string' || typeof child === 'object')
        pemsIn(child, depth + 1, PLAIN_NAME.test(key) ? key : '?', found);
  }
  return found;
}

/** An id only if it is one: whatever else stands there could be a secret in the wrong place. */
function placeOf(
  collection: string,
  { id }: Table,
  position: number,
  fields: readonly string[],
  pem: string,
  isCa: boolean,
): Place {
  const isId = typeof id === 'string' && UUID.test(id);
  return {
    pem,
    isCa,
    shown: isId ? `${collection} ${id}` : `entry ${position + 1} of ${collection}`,
    path: [collection, isId ? id : `#${position + 1}`, ...fields],
  };
}

const firstOf = (text: string): string => certificatesIn(text)[0] ?? text;

/** A reference is resolved by each data plane for itself. */
const isText = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && !value.startsWith('{vault://');
