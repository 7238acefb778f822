import { type SettingPath, startsWith } from './setting-path.ts';

/**
 * What a process does. `reader` looks at heads only, from anywhere: it needs the stores and public keys, no key that
 * opens a snapshot and no cluster certificate. `all` takes everything that is written down, for `config --all`.
 */
export type Role = 'exporter' | 'node' | 'relay' | 'reader' | 'all';

export const ROLES: readonly Role[] = ['exporter', 'node', 'relay', 'reader', 'all'];

/**
 * Parts of the settings that a role never uses. References in them are not resolved, so that a data plane does not
 * fail for a secret that only the exporter has, and their plugins are not loaded.
 */
const UNUSED: Readonly<Record<Role, readonly SettingPath[]>> = {
  exporter: [['bootstrap'], ['relay']],
  node: [['signing', 'privateKey'], ['source'], ['export'], ['relay']],
  relay: [['signing', 'privateKey'], ['source'], ['export'], ['bootstrap']],
  reader: [
    ['signing', 'privateKey'],
    ['controlPlane'],
    ['source'],
    ['encryption'],
    ['validators'],
    ['bootstrap', 'target'],
    ['relay'],
  ],
  all: [],
};

/** @param verifies true when readers hold public keys: they then take signed snapshots without validators. */
export function usesSetting(role: Role, path: SettingPath, verifies: boolean): boolean {
  if ((role === 'node' || role === 'relay') && verifies && path[0] === 'validators') return false;
  return !UNUSED[role].some((unused) => startsWith(path, unused));
}
