import { FallbackError } from '../errors/index.ts';
import { discoverSettings, ETC_NAMES, type FoundSettings, WORKING_DIRECTORY_NAMES } from './discovery.ts';
import { readEnvironment } from './environment.ts';
import type { KongSettings } from './kong-settings.ts';
import { readFlags } from './layers.ts';
import type { Problem } from './problem.ts';
import type { SchemaOutline } from './schema-outline.ts';
import type { Assignment } from './setting-tree.ts';

export interface SettingsPlaces {
  /** What `--config` names. */
  readonly configPath?: string | undefined;
  /** What `--kong-conf` names. */
  readonly kongConf?: string | undefined;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `--set path=value`, by path. */
  readonly flags?: Readonly<Record<string, string>> | undefined;
  /** Default: /etc/kongfallback. */
  readonly etcDirectory?: string | undefined;
}

/** What was written, place by place, before it is laid over each other. */
export interface GatheredLayers {
  readonly file: FoundSettings | undefined;
  /** Undefined: nothing of Kong's is there. */
  readonly kong: KongSettings | undefined;
  readonly environment: readonly Assignment[];
  readonly flags: readonly Assignment[];
  readonly problems: readonly Problem[];
}

/** @throws `invalid` KF_SETTINGS_NOT_FOUND, KF_KONG_CONF_UNREADABLE, and what finding the settings file throws */
export async function gatherLayers(places: SettingsPlaces, outline: SchemaOutline): Promise<GatheredLayers> {
  const { cwd, env, kongConf, etcDirectory = '/etc/kongfallback' } = places;
  const file = await discoverSettings({
    configPath: places.configPath,
    environmentPath: env['KONGFALLBACK_CONFIG'],
    cwd,
    etcDirectory,
  });
  const environment = readEnvironment(env, outline);
  const flags = readFlags(places.flags ?? {});
  const kong = await kongSettings({ kongConf, env, cwd });
  const nothing =
    environment.assignments.length + flags.assignments.length + environment.problems.length === 0;
  if (file === undefined && nothing && kong?.speaks !== true) throw notFound(cwd, etcDirectory);
  return {
    file,
    kong,
    environment: environment.assignments,
    flags: flags.assignments,
    problems: [...environment.problems, ...flags.problems],
  };
}

async function kongSettings(
  places: Pick<SettingsPlaces, 'kongConf' | 'env' | 'cwd'>,
): Promise<KongSettings | undefined> {
  const { kongConf, env } = places;
  if (kongConf === undefined && !Object.keys(env).some((name) => name.startsWith('KONG_'))) return undefined;
  // Imported here: most starts need nothing of it.
  const { readKongSettings } = await import('./kong-settings.ts');
  return readKongSettings(places);
}

function notFound(cwd: string, etcDirectory: string): FallbackError {
  return new FallbackError(
    'invalid',
    'KF_SETTINGS_NOT_FOUND',
    'there is no settings file and no KONGFALLBACK_* variable',
    {
      hint:
        `Looked for ${WORKING_DIRECTORY_NAMES.join(', ')} in ${cwd} and ${ETC_NAMES.join(', ')} in ${etcDirectory}. ` +
        'Copy .kongfallbackrc.example to start with, or name a file with --config (also .js and .mjs, which are never searched for); ' +
        "or use Kong's own settings: --kong-conf, or KONG_CLUSTER_FALLBACK_CONFIG_STORAGE and its like.",
    },
  );
}
