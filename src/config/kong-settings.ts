import { resolve } from 'node:path';
import { FallbackError } from '../errors/index.ts';
import { parseKongConf } from '../kong/kong-conf.ts';
import { KONG_PATHS } from './kong-names.ts';
import { putObjectSettings, storageOf } from './kong-storage.ts';
import { type KongSources, type KongValue, KongValues } from './kong-values.ts';
import { inlinePem } from './pem.ts';
import type { Problem, SettingsWarning } from './problem.ts';
import { readText } from './read-text.ts';
import { literal } from './references.ts';
import type { SettingPath } from './setting-path.ts';
import type { Assignment } from './setting-tree.ts';

/** Kong's own settings in our terms. */
export interface KongSettings {
  readonly assignments: readonly Assignment[];
  /** Kong's switches; undefined is not set, which in Kong is off. */
  readonly imports: boolean | undefined;
  readonly exports: boolean | undefined;
  /** A switch is on, a storage is named, or a kong.conf was: Kong's names say what to do. */
  readonly speaks: boolean;
  /** Why this Kong takes no fallback configuration. */
  readonly notDataPlane: string | undefined;
  /** Absolute. */
  readonly prefix: string;
  /** Why the storage that is named cannot be used, although it is written as Kong wants it. */
  readonly unusableStorage: string | undefined;
  readonly problems: readonly Problem[];
  readonly warnings: readonly SettingsWarning[];
}

export interface KongOptions {
  /** What `--kong-conf` names. */
  readonly kongConf?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/** As `kong` is built and as its images have it. */
const DEFAULT_PREFIX = '/usr/local/kong';

/** @throws `invalid` KF_KONG_CONF_UNREADABLE; everything else that is wrong is collected */
export async function readKongSettings(options: KongOptions): Promise<KongSettings> {
  const { env, cwd } = options;
  const values = new KongValues({ env, cwd, conf: await readConf(options) });
  const [imports, exports] = [values.switch('imports'), values.switch('exports')];
  const prefixValue = values.get('prefix');
  const prefix = resolve(cwd, prefixValue?.text ?? DEFAULT_PREFIX);
  const storage = values.get('storage');
  const stored = storage && storageAssignments(values, storage);
  return {
    assignments: [
      ...controlPlane(values, cwd),
      ...(stored?.assignments ?? []),
      ...plain(values, 'delay'),
      ...plain(values, 'lmdbPath'),
      ...(prefixValue === undefined ? [] : [assign(prefixValue, KONG_PATHS.prefix, prefix)]),
    ],
    imports,
    exports,
    speaks: imports === true || exports === true || values.has('storage') || options.kongConf !== undefined,
    notDataPlane: notDataPlane(values),
    prefix,
    unusableStorage: stored?.unusable,
    problems: values.problems,
    warnings: values.warnings,
  };
}

async function readConf({ kongConf, cwd }: KongOptions): Promise<KongSources['conf']> {
  if (kongConf === undefined) return undefined;
  const path = resolve(cwd, kongConf);
  const refuse = (reason: string, cause?: unknown): never => {
    throw new FallbackError('invalid', 'KF_KONG_CONF_UNREADABLE', `the kong.conf ${path} ${reason}`, {
      cause,
      hint: 'Name the file that Kong is started with (kong start -c), and let this user read it.',
    });
  };
  const { text } = await readText(path).catch((error: Error) => refuse(error.message, error));
  if (text.includes('\0')) refuse('is not a text file');
  return { path, content: parseKongConf(text) };
}

function notDataPlane(values: KongValues): string | undefined {
  const role = values.get('role');
  return role === undefined || role.text === 'data_plane'
    ? undefined
    : `${values.describe(role)}: expected data_plane: only a data plane takes a fallback configuration`;
}

function controlPlane(values: KongValues, cwd: string): Assignment[] {
  const assignments = [...plain(values, 'address'), ...plain(values, 'serverName')];
  for (const name of ['certificate', 'key', 'ca'] as const) {
    const value = values.get(name);
    if (value === undefined) continue;
    // As Kong, a path is relative to where the command runs, not to a file.
    const text = inlinePem(value.text) ?? (isPath(value.text) ? resolve(cwd, value.text) : value.text);
    assignments.push(assign(value, KONG_PATHS[name], text));
  }
  const mtls = values.get('mtls');
  if (mtls === undefined) return assignments;
  // pki_check_cn makes the control plane look at the common name; for the data plane it is pki.
  const mode = mtls.text === 'pki_check_cn' ? 'pki' : mtls.text;
  if (mode === 'shared' || mode === 'pki') assignments.push(assign(mtls, KONG_PATHS.mtls, mode));
  else values.refuse('mtls', mtls, 'expected shared, pki or pki_check_cn');
  return assignments;
}

function storageAssignments(
  values: KongValues,
  storage: KongValue,
): { assignments: Assignment[]; unusable?: string } {
  const s3Config = values.get('s3Config');
  let fields: ReturnType<typeof storageOf>;
  try {
    fields = storageOf(storage.text);
  } catch (error) {
    return { assignments: [], unusable: `${values.describe(storage)}: ${(error as Error).message}` };
  }
  const assignments: Assignment[] = [
    // The list as a whole: entries of a settings file are not mixed with this one.
    { path: KONG_PATHS.storage, value: [], origin: storage.origin },
    ...Object.entries(fields).map(([name, value]) => assign(storage, ['storages', 0, name], value)),
  ];
  if (s3Config === undefined) return { assignments };
  try {
    for (const { path, value } of putObjectSettings(s3Config.text))
      assignments.push({ ...assign(s3Config, ['storages', 0, ...path], value), text: true });
  } catch (error) {
    values.refuse('s3Config', s3Config, (error as Error).message);
  }
  return { assignments };
}

function plain(values: KongValues, setting: 'address' | 'serverName' | 'delay' | 'lmdbPath'): Assignment[] {
  const value = values.get(setting);
  return value === undefined ? [] : [{ ...assign(value, KONG_PATHS[setting], value.text), text: true }];
}

/** Kong knows no `${…}`: what looks like a reference of ours is none. */
const assign = ({ origin }: KongValue, path: SettingPath, value: string | boolean): Assignment => ({
  path,
  value: typeof value === 'string' ? literal(value) : value,
  origin,
});

/** Anything longer, or of several lines, is a damaged PEM, and the message about it must not repeat it as a path. */
const isPath = (text: string): boolean => text.length <= 200 && !text.includes('\n');
