// The only file that names plugins/*. Each is imported when it is used, so that a command pays for its own only.
import type { PluginKind } from '../plugin/plugin.ts';

export type BuiltInsOfKind = Readonly<Record<string, () => Promise<{ default: unknown }>>>;
export type BuiltIns = Readonly<Record<PluginKind, BuiltInsOfKind>>;

/** All that the document worker loads, which leaves the rest out of its bundle. */
export const VALIDATORS: BuiltInsOfKind = {
  'kong-schema': () => import('../../plugins/validator/kong-schema/index.ts'),
  shrinkage: () => import('../../plugins/validator/shrinkage/index.ts'),
  expiry: () => import('../../plugins/validator/expiry/index.ts'),
  limits: () => import('../../plugins/validator/limits/index.ts'),
  'outage-readiness': () => import('../../plugins/validator/outage-readiness/index.ts'),
  gateway: () => import('../../plugins/validator/gateway/index.ts'),
  command: () => import('../../plugins/validator/command/index.ts'),
};

export const BUILT_INS: BuiltIns = {
  storage: {
    memory: () => import('../../plugins/storage/memory/index.ts'),
    file: () => import('../../plugins/storage/file/index.ts'),
    s3: () => import('../../plugins/storage/s3/index.ts'),
  },
  encryption: {
    'aes-gcm': () => import('../../plugins/encryption/aes-gcm/index.ts'),
    age: () => import('../../plugins/encryption/age/index.ts'),
    'aws-kms': () => import('../../plugins/encryption/aws-kms/index.ts'),
    'vault-transit': () => import('../../plugins/encryption/vault-transit/index.ts'),
    none: () => import('../../plugins/encryption/none/index.ts'),
  },
  validator: VALIDATORS,
  source: {
    'kong-hybrid': () => import('../../plugins/source/kong-hybrid/index.ts'),
    file: () => import('../../plugins/source/file/index.ts'),
  },
  target: {
    file: () => import('../../plugins/target/file/index.ts'),
    'kong-admin': () => import('../../plugins/target/kong-admin/index.ts'),
    command: () => import('../../plugins/target/command/index.ts'),
  },
};
