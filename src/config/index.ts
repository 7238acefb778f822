export type { PluginCatalogue, PluginFolders, PluginReference, ResolvedPlugin } from './catalogue.ts';
export type { ControlPlaneSettings } from './control-plane-settings.ts';
export type { LoadedEntries } from './entry-set.ts';
export { type RunRole, runRoles } from './kong-run-role.ts';
export {
  type LoadedSettings,
  type LoadSettingsOptions,
  loadSettings,
  type Settings,
} from './load-settings.ts';
export type { LoadedEntry } from './plugin-entry.ts';
export type { SettingsWarning } from './problem.ts';
export { ROLES, type Role } from './role.ts';
export type { SettingsInput } from './schema.ts';
export { parseSetFlags } from './set-flags.ts';
export type { SettingRow } from './setting-rows.ts';
export type { Assignment } from './setting-tree.ts';
