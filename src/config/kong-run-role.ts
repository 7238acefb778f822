import { FallbackError } from '../errors/index.ts';
import { gatherLayers, type SettingsPlaces } from './gather-layers.ts';
import { settingsError } from './problem.ts';
import { settingsJsonSchema } from './schema.ts';
import { SchemaOutline } from './schema-outline.ts';
import { type SettingPath, startsWith } from './setting-path.ts';

/** What `kongfallback run` runs. */
export type RunRole = 'exporter' | 'node';

/**
 * The role that the settings hold. Kong's switches decide, export before import, as in Kong; where neither is on, what
 * is written down: an `export` section makes an exporter, `bootstrap.target` a node.
 *
 * @throws `invalid` KF_RUN_AMBIGUOUS, KF_RUN_NO_ROLE, KF_SETTINGS_INVALID for what is wrong with Kong's settings, and
 *   what finding the settings throws
 */
export async function runRole(places: SettingsPlaces): Promise<RunRole> {
  const { file, kong, environment, flags } = await gatherLayers(
    places,
    new SchemaOutline(settingsJsonSchema()),
  );
  // A switch that is neither on nor off must not make a data plane of a backup node. The rest is the command's to judge.
  const problems = (kong?.problems ?? []).filter(({ path }) => path.length === 0);
  if (problems.length > 0) throw settingsError(problems, (text) => text);
  if (kong?.exports === true) return 'exporter';
  if (kong?.imports === true) return 'node';
  const written = [...(file?.assignments ?? []), ...environment, ...flags];
  const has = (path: SettingPath): boolean => written.some((assignment) => startsWith(assignment.path, path));
  const [exports, imports] = [has(['export']), has(['bootstrap', 'target'])];
  if (exports && imports) {
    throw new FallbackError(
      'invalid',
      'KF_RUN_AMBIGUOUS',
      'the settings hold an export section and a bootstrap.target: run does not guess which this node is',
      { hint: `Run \`kongfallback export\` or \`kongfallback bootstrap\`, or ${SWITCHES}.` },
    );
  }
  if (exports) return 'exporter';
  if (imports) return 'node';
  throw new FallbackError(
    'invalid',
    'KF_RUN_NO_ROLE',
    'the settings do not say what to run: no switch of Kong is on, and there is neither an export section nor a bootstrap.target',
    { hint: `On the backup node and on a data plane, ${SWITCHES}.` },
  );
}

const SWITCHES =
  'set KONG_CLUSTER_FALLBACK_CONFIG_EXPORT=on for the backup node, KONG_CLUSTER_FALLBACK_CONFIG_IMPORT=on for a data plane';
