/** Of `-----BEGIN CERTIFICATE-----`: dashes are everywhere in a configuration, and this is not. */
const BEGIN = 'BEGIN ';

type Table = Readonly<Record<string, unknown>>;

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  certificates: ['cert', 'cert_alt', 'key', 'key_alt'],
  ca_certificates: ['cert'],
};

/**
 * Whether PEM blocks stand anywhere but in Kong's own collections of them. Counting them in the text takes a hundredth of
 * what walking through the settings of every plugin takes, and mostly there are none.
 */
export function hasPemElsewhere(bytes: Uint8Array, table: Table): boolean {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const expected = Object.entries(FIELDS).reduce(
    (sum, [name, fields]) => sum + countIn(table[name], fields),
    0,
  );
  let found = 0;
  for (
    let at = text.indexOf(BEGIN);
    at !== -1 && found <= expected;
    at = text.indexOf(BEGIN, at + BEGIN.length)
  ) {
    found++;
  }
  return found > expected;
}

function countIn(entities: unknown, fields: readonly string[]): number {
  if (!Array.isArray(entities)) return 0;
  let count = 0;
  for (const entity of entities as readonly unknown[]) {
    if (typeof entity !== 'object' || entity === null) continue;
    for (const field of fields) {
      const value = (entity as Table)[field];
      if (typeof value === 'string') count += value.split(BEGIN).length - 1;
    }
  }
  return count;
}
