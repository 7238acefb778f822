/**
 * What is known of Kong's collections: how they refer to each other and what names them. Field lists are left to
 * Kong; a collection that is not here passes through (kong/db/schema/entities/*.lua, kong/plugins/*\/daos.lua and
 * declarative_config.lua at 3.9.1; Kong Enterprise from its public documentation).
 */
export interface Collection {
  /** Unique per workspace, and what a reference may hold instead of the id. */
  readonly key?: string;
  /** Primary key where it is not `id`. */
  readonly primaryKey?: string;
  /** field -> collection. */
  readonly references?: Readonly<Record<string, string>>;
  /**
   * True for what only Kong Enterprise or a plugin outside the core defines: nobody recorded a data plane that
   * rejects it, so in a control plane's own document a miss is a warning.
   */
  readonly unrecorded?: boolean;
}

const OF_CONSUMER = { consumer: 'consumers' } as const;
const OF_GROUP = { consumer_group: 'consumer_groups' } as const;

export const COLLECTIONS: ReadonlyMap<string, Collection> = new Map<string, Collection>([
  ['workspaces', { key: 'name' }],
  ['consumers', { key: 'username' }],
  ['certificates', {}],
  ['ca_certificates', {}],
  ['services', { key: 'name', references: { client_certificate: 'certificates' } }],
  ['routes', { key: 'name', references: { service: 'services' } }],
  ['snis', { key: 'name', references: { certificate: 'certificates' } }],
  ['upstreams', { key: 'name', references: { client_certificate: 'certificates' } }],
  ['targets', { references: { upstream: 'upstreams' } }],
  [
    'plugins',
    {
      key: 'instance_name',
      references: { service: 'services', route: 'routes', ...OF_CONSUMER, ...OF_GROUP },
    },
  ],
  ['parameters', { primaryKey: 'key' }],
  ['vaults', { key: 'prefix' }],
  ['vaults_beta', { key: 'prefix' }],
  ['key_sets', { key: 'name' }],
  ['keys', { key: 'name', references: { set: 'key_sets' } }],
  ['filter_chains', { key: 'name', references: { service: 'services', route: 'routes' } }],
  ['acls', { references: OF_CONSUMER }],
  ['basicauth_credentials', { key: 'username', references: OF_CONSUMER }],
  ['hmacauth_credentials', { key: 'username', references: OF_CONSUMER }],
  ['jwt_secrets', { key: 'key', references: OF_CONSUMER }],
  ['keyauth_credentials', { key: 'key', references: OF_CONSUMER }],
  ['oauth2_credentials', { key: 'client_id', references: OF_CONSUMER }],
  [
    'oauth2_tokens',
    { references: { credential: 'oauth2_credentials', service: 'services' }, unrecorded: true },
  ],
  ['consumer_groups', { key: 'name', unrecorded: true }],
  ['consumer_group_plugins', { references: OF_GROUP, unrecorded: true }],
  ['mtls_auth_credentials', { references: OF_CONSUMER, unrecorded: true }],
  ['keyauth_enc_credentials', { key: 'key', references: OF_CONSUMER, unrecorded: true }],
  ['header_cert_auth_credentials', { references: OF_CONSUMER, unrecorded: true }],
]);
