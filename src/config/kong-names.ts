import type { SettingPath } from './setting-path.ts';

/**
 * Settings of Kong that are understood: our word for each, with Kong's names for it, the newest first. Everything else
 * in a kong.conf is Kong's own affair.
 */
export const KONG_NAMES = {
  role: ['role'],
  prefix: ['prefix'],
  lmdbPath: ['lmdb_environment_path'],
  imports: ['cluster_fallback_config_import', 'cluster_fallback_config'],
  exports: ['cluster_fallback_config_export', 'cluster_fallback_config_exporter'],
  storage: ['cluster_fallback_config_storage'],
  delay: ['cluster_fallback_config_export_delay'],
  s3Config: ['cluster_fallback_export_s3_config'],
  address: ['cluster_control_plane'],
  certificate: ['cluster_cert'],
  key: ['cluster_cert_key'],
  ca: ['cluster_ca_cert'],
  mtls: ['cluster_mtls'],
  serverName: ['cluster_server_name'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** Which setting of ours it becomes. */
export const KONG_PATHS = {
  storage: ['storages'],
  delay: ['export', 'delaySeconds'],
  address: ['controlPlane', 'address'],
  certificate: ['controlPlane', 'certificate'],
  key: ['controlPlane', 'key'],
  ca: ['controlPlane', 'ca'],
  mtls: ['controlPlane', 'mtls'],
  serverName: ['controlPlane', 'serverName'],
  prefix: ['bootstrap', 'kongPrefix'],
  lmdbPath: ['bootstrap', 'lmdbEnvironmentPath'],
} as const satisfies Partial<Record<keyof typeof KONG_NAMES, SettingPath>>;

export type KongSetting = keyof typeof KONG_NAMES;

/** Every name, old spellings included. */
export const KONG_NAME_LIST: readonly string[] = Object.values(KONG_NAMES).flat();

export const FALLBACK_PREFIX = 'cluster_fallback_';

/** `cluster_cert` as Kong reads it from the environment. */
export const kongVariable = (name: string): string => `KONG_${name.toUpperCase()}`;
