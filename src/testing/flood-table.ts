/** Entities of each collection: more than any list of findings may show. */
const COUNT = 400;

/**
 * A document in which everything is wrong, and all at once: duplicate and malformed ids, references to nothing,
 * certificates that are none, names of a thousand characters and values of every type.
 */
export function floodTable(): string {
  const long = 'x'.repeat(1000);
  const table: Record<string, unknown> = { _format_version: '3.0', _transform: false };
  for (const name of COLLECTIONS) {
    table[name] = Array.from({ length: COUNT }, (_, at) => ({
      id: at % 2 === 0 ? long : '00000000-0000-4000-8000-000000000000',
      name: PLUGINS[at % PLUGINS.length] ?? long,
      service: { id: `gone-${at}` },
      route: long,
      consumer: at,
      certificate: [],
      cert: `-----BEGIN CERTIFICATE-----\n${at}${long}`,
      config: {
        policy: 'cluster',
        strategy: 'cluster',
        storage: 'kong',
        [long]: `{vault://nowhere-${at}/secret}`,
        secret: `{vault://hcv/${at}}`,
      },
    }));
  }
  return JSON.stringify(table);
}

const COLLECTIONS = [
  'services',
  'routes',
  'plugins',
  'consumers',
  'certificates',
  'ca_certificates',
  'snis',
  'keyauth_credentials',
];
const PLUGINS = ['rate-limiting', 'response-ratelimiting', 'oauth2', 'acme', 'session', 'x'.repeat(1000)];
