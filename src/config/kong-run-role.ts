import { FallbackError } from '../errors/index.ts';
import { gatherLayers, type SettingsPlaces } from './gather-layers.ts';
import { settingsError } from './problem.ts';
import { settingsJsonSchema } from './schema.ts';
import { SchemaOutline } from './schema-outline.ts';
import { type SettingPath, startsWith } from './setting-path.ts';

/** What `kongfallback run` runs, in the order in which it is started. */
export type RunRole = 'exporter' | 'node' | 'relay';

/**
 * The roles that the settings hold. Of exporter and node Kong's switches decide, export before import, as in Kong; where
 * neither is on, what is written down: an `export` section makes an exporter, `bootstrap.target` a node. `relay.listen`
 * makes a relay in any case.
 *
 * @throws `invalid` KF_RUN_NO_ROLE, KF_SETTINGS_INVALID for what is wrong with Kong's settings, and what finding the
 *   settings throws
 */
export async function runRoles(places: SettingsPlaces): Promise<readonly RunRole[]> {
  const { file, kong, environment, flags } = await gatherLayers(
    places,
    new SchemaOutline(settingsJsonSchema()),
  );
  // A switch that is neither on nor off must not make a data plane of a backup node. The rest is the command's to judge.
  const problems = (kong?.problems ?? []).filter(({ path }) => path.length === 0);
  if (problems.length > 0) throw settingsError(problems, (text) => text);
  const written = [...(file?.assignments ?? []), ...environment, ...flags];
  const has = (path: SettingPath): boolean => written.some((assignment) => startsWith(assignment.path, path));
  const isSwitched = kong?.exports === true || kong?.imports === true;
  const held: Readonly<Record<RunRole, boolean>> = {
    exporter: isSwitched ? kong.exports === true : has(['export']),
    node: isSwitched ? kong.exports !== true : has(['bootstrap', 'target']),
    relay: has(['relay', 'listen']),
  };
  const roles = (['exporter', 'node', 'relay'] as const).filter((role) => held[role]);
  if (roles.length > 0) return roles;
  throw new FallbackError(
    'invalid',
    'KF_RUN_NO_ROLE',
    'the settings do not say what to run: no switch of Kong is on, and there is neither an export section nor a bootstrap.target nor a relay.listen',
    { hint: `On the backup node and on a data plane, ${SWITCHES}.` },
  );
}

const SWITCHES =
  'set KONG_CLUSTER_FALLBACK_CONFIG_EXPORT=on for the backup node, KONG_CLUSTER_FALLBACK_CONFIG_IMPORT=on for a data plane';
