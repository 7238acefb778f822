import { type SettingPath, startsWith } from './setting-path.ts';

/** What a process does; `all` takes everything that is written down, for `config --all`. */
export type Role = 'exporter' | 'node' | 'relay' | 'all';

export const ROLES: readonly Role[] = ['exporter', 'node', 'relay', 'all'];

/**
 * Parts of the settings that a role never uses. References in them are not resolved, so that a data plane does not
 * fail for a secret that only the exporter has, and their plugins are not loaded.
 */
const UNUSED: Readonly<Record<Role, readonly SettingPath[]>> = {
  exporter: [['bootstrap'], ['relay']],
  node: [['signing', 'privateKey'], ['source'], ['export'], ['relay']],
  relay: [['signing', 'privateKey'], ['source'], ['validators'], ['export'], ['bootstrap']],
  all: [],
};

/** @param verifies true when readers hold public keys: a node then applies signed snapshots without validators. */
export function usesSetting(role: Role, path: SettingPath, verifies: boolean): boolean {
  if (role === 'node' && verifies && path[0] === 'validators') return false;
  return !UNUSED[role].some((unused) => startsWith(path, unused));
}
