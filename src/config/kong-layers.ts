// Where Kong's own settings stand among the others: over the settings file, under KONGFALLBACK_* and flags.
import { join } from 'node:path';
import type { KongSettings } from './kong-settings.ts';
import type { Origin } from './origin.ts';
import type { Problem, SettingsWarning } from './problem.ts';
import { literal } from './references.ts';
import type { Role } from './role.ts';
import { type SettingPath, startsWith } from './setting-path.ts';
import type { Assignment } from './setting-tree.ts';

export interface OtherLayers {
  readonly role: Role;
  /** Undefined when there is no settings file. */
  readonly file: readonly Assignment[] | undefined;
  /** KONGFALLBACK_* and flags. */
  readonly above: readonly Assignment[];
  /** What `kong version` says; undefined when that cannot be had. */
  readonly kongVersion: () => Promise<string | undefined>;
}

export interface KongLayers {
  /** Under everything. */
  readonly defaults: readonly Assignment[];
  readonly assignments: readonly Assignment[];
  readonly problems: readonly Problem[];
  readonly warnings: readonly SettingsWarning[];
}

/** Kong's default of cluster_fallback_config_export_delay. */
const EXPORT_DELAY_SECONDS = 60;
const ORIGIN: Origin = { kind: 'kong-default' };

export async function kongLayers(kong: KongSettings, others: OtherLayers): Promise<KongLayers> {
  const { file, above } = others;
  const written = [...(file ?? []), ...above];
  const counts = relevance(kong.assignments, file ?? [], above);
  const assignments = kong.assignments.filter(({ path }) => counts(path));
  const problems = [
    // What is set over it is not wrong: a vault reference that only Kong can read must not keep us from starting.
    ...kong.problems.filter(({ path }) => path.length === 0 || (counts(path) && !touches(above, path))),
    ...roleProblem(kong, others.role),
  ];
  const warnings = [...kong.warnings];
  const storageElsewhere = touches(written, ['storages']);
  if (kong.unusableStorage !== undefined && !storageElsewhere) {
    problems.push({ path: ['storages'], message: kong.unusableStorage });
  }
  warnings.push(...storageWarnings(kong, file ?? [], storageElsewhere));
  if (file !== undefined || !kong.speaks) return { defaults: [], assignments, problems, warnings };
  const defaults = await defaultsWithoutFile(kong, others);
  const storageSaid = problems.some(({ path }) => path[0] === 'storages');
  if (!touches([...assignments, ...above], ['storages']) && !storageSaid) {
    problems.push({
      path: ['storages'],
      message: 'is required: cluster_fallback_config_storage is not set, such as s3://bucket/prefix',
    });
  }
  if (defaults.some(({ path }) => path[0] === 'encryption')) warnings.push(UNENCRYPTED);
  return { defaults, assignments, problems, warnings };
}

/**
 * Without what would do harm: certificates of a node that names no control plane, and what Kong ignores unless
 * cluster_mtls is pki.
 */
function relevance(
  kong: readonly Assignment[],
  file: readonly Assignment[],
  above: readonly Assignment[],
): (path: SettingPath) => boolean {
  const all = [...file, ...kong, ...above];
  const connects = touches(all, ['controlPlane', 'address']);
  const mtls = all.findLast(({ path }) => path.join('.') === 'controlPlane.mtls')?.value;
  const pki = typeof mtls === 'string' && mtls.trim() === 'pki';
  return ([section, name]) => {
    if (section !== 'controlPlane' || name === 'address') return true;
    return connects && (pki || (name !== 'ca' && name !== 'serverName'));
  };
}

function roleProblem({ notDataPlane, imports }: KongSettings, role: Role): Problem[] {
  const wrong = role === 'node' && imports === true;
  return wrong && notDataPlane !== undefined ? [{ path: [], message: notDataPlane }] : [];
}

function storageWarnings(
  kong: KongSettings,
  file: readonly Assignment[],
  storageElsewhere: boolean,
): SettingsWarning[] {
  if (kong.unusableStorage !== undefined && storageElsewhere) {
    return [
      {
        code: 'KF_KONG_STORAGE_IGNORED',
        message: `${kong.unusableStorage}; the storages of the other settings are used`,
        hint: 'Nothing to do if that is meant.',
      },
    ];
  }
  if (!touches(kong.assignments, ['storages']) || !touches(file, ['storages'])) return [];
  return [
    {
      code: 'KF_KONG_REPLACES_STORAGES',
      message: 'cluster_fallback_config_storage takes the place of the storages in the settings file',
      hint: 'Name the storage in one place; KONGFALLBACK_STORAGES__… and --set go over both.',
    },
  ];
}

/** What Kong's names leave open, so that they are enough by themselves. */
async function defaultsWithoutFile(
  { prefix }: KongSettings,
  { role, above, kongVersion }: OtherLayers,
): Promise<Assignment[]> {
  const settings: [SettingPath, string | number][] = [
    // Kong has no name for a fleet: what keeps two apart is the prefix in the storage.
    [['cluster'], 'default'],
    [['encryption'], 'none'],
    [['export', 'delaySeconds'], EXPORT_DELAY_SECONDS],
    [['bootstrap', 'cacheDirectory'], join(prefix, 'kongfallback-cache')],
    [['bootstrap', 'kongPrefix'], prefix],
  ];
  if (!replaced(above, ['bootstrap', 'target'])) {
    settings.push(
      [['bootstrap', 'target', 'use'], 'file'],
      [['bootstrap', 'target', 'path'], join(prefix, 'kongfallback.json')],
    );
  }
  const defaults = settings
    .filter(([path]) => path.length > 1 || !touches(above, path))
    .map(
      ([path, value]): Assignment => ({
        path,
        value: typeof value === 'string' ? literal(value) : value,
        origin: ORIGIN,
      }),
    );
  if ((role === 'exporter' || role === 'all') && !touches(above, ['gatewayVersions'])) {
    const version = await kongVersion();
    if (version !== undefined) {
      const origin: Origin = { kind: 'kong', name: 'version' };
      defaults.push({ path: ['gatewayVersions', 0], value: version, origin });
    }
  }
  return defaults;
}

const touches = (assignments: readonly Assignment[], path: SettingPath): boolean =>
  assignments.some((assignment) => startsWith(assignment.path, path) || startsWith(path, assignment.path));

/** Another plugin, or an entry written as a whole: settings of the default one would not fit it. */
const replaced = (assignments: readonly Assignment[], entry: SettingPath): boolean =>
  assignments.some(({ path }) => startsWith([...entry, 'use'], path));

const UNENCRYPTED: SettingsWarning = {
  code: 'KF_KONG_UNENCRYPTED',
  message:
    "with Kong's settings alone snapshots are stored unencrypted, as Kong stores its fallback configuration",
  hint: 'Run `kongfallback keygen --encryption` and set KONGFALLBACK_ENCRYPTION, or write a settings file.',
};
