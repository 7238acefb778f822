import type { KongConf, KongConfEntry } from '../kong/kong-conf.ts';
import { didYouMean } from './did-you-mean.ts';
import { upperSnake } from './environment.ts';
import {
  FALLBACK_PREFIX,
  KONG_NAME_LIST,
  KONG_NAMES,
  KONG_PATHS,
  type KongSetting,
  kongVariable,
} from './kong-names.ts';
import { resolveKongReference } from './kong-reference.ts';
import { type Origin, originText } from './origin.ts';
import type { Problem, SettingsWarning } from './problem.ts';
import type { SettingPath } from './setting-path.ts';

/** One of Kong's settings, with what it refers to put in. */
export interface KongValue {
  readonly text: string;
  /** As it is spelled where it stands. */
  readonly name: string;
  readonly origin: Origin;
}

export interface KongSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What `--kong-conf` names, read. */
  readonly conf?: { readonly path: string; readonly content: KongConf } | undefined;
  readonly cwd: string;
}

/** Bounds the warnings that one file can make. */
const MOST_STRAY_LINES = 5;

/**
 * Kong's own settings, from the environment before the file, as in Kong; an empty one is unset. What is wrong with a
 * value is collected, so that all of it is said at once.
 */
export class KongValues {
  readonly problems: Problem[] = [];
  readonly warnings: SettingsWarning[] = [];
  readonly #sources: KongSources;
  readonly #vaultPrefix: string;

  constructor(sources: KongSources) {
    this.#sources = sources;
    this.#vaultPrefix = this.#written('vault_env_prefix')?.text ?? '';
    this.#lookOver();
  }

  get(setting: KongSetting): KongValue | undefined {
    const found = this.#find(KONG_NAMES[setting]);
    if (found === undefined) return undefined;
    try {
      return { ...found, text: resolveKongReference(found.text, this.#sources.env, this.#vaultPrefix) };
    } catch (error) {
      this.refuse(setting, found, `${(error as Error).message}${instead(setting)}`);
      return undefined;
    }
  }

  /** Undefined when it is not set, or not understood. */
  switch(setting: 'imports' | 'exports'): boolean | undefined {
    const value = this.get(setting);
    if (value === undefined) return undefined;
    const text = value.text.toLowerCase();
    if (text === 'on' || text === 'true') return true;
    if (text === 'off' || text === 'false') return false;
    this.refuse(setting, value, 'expected on or off');
    return undefined;
  }

  /** Set under any spelling, whatever it refers to. */
  has(setting: KongSetting): boolean {
    return this.#find(KONG_NAMES[setting]) !== undefined;
  }

  refuse(setting: KongSetting, value: KongValue, message: string): void {
    const path = pathOf(setting);
    if (path === undefined) this.problems.push({ path: [], message: `${this.describe(value)}: ${message}` });
    else {
      const origin = originText(value.origin, this.#sources.cwd);
      this.problems.push({ path, origin, message: `${value.name}: ${message}` });
    }
  }

  /** "cluster_cert (kong.conf line 3)". */
  describe({ name, origin }: KongValue): string {
    return `${name} (${originText(origin, this.#sources.cwd)})`;
  }

  /** The environment under any spelling, then the file under any; of two spellings in one place the newer. */
  #find(names: readonly string[]): KongValue | undefined {
    for (const place of [this.#inEnvironment, this.#inFile]) {
      const [first, ...others] = names.map(place).filter((value) => value !== undefined);
      if (first === undefined) continue;
      const contrary = others.find(({ text }) => text.toLowerCase() !== first.text.toLowerCase());
      if (contrary !== undefined) {
        this.#warn(
          'KF_KONG_CONTRADICTION',
          `${this.describe(first)} and ${this.describe(contrary)} are two spellings of one setting with different values; the former counts`,
          `Remove ${contrary.name}.`,
        );
      }
      return first.text === '' ? undefined : first;
    }
    return undefined;
  }

  #written(name: string): KongValue | undefined {
    return this.#inEnvironment(name) ?? this.#inFile(name);
  }

  readonly #inEnvironment = (name: string): KongValue | undefined => {
    const variable = kongVariable(name);
    const value = this.#sources.env[variable];
    return value === undefined
      ? undefined
      : { text: value.trim(), name, origin: { kind: 'env', name: variable } };
  };

  readonly #inFile = (name: string): KongValue | undefined => {
    const { conf } = this.#sources;
    const entry = conf?.content.entries.get(name);
    return conf === undefined || entry === undefined
      ? undefined
      : { text: entry.value, name, origin: { kind: 'kong-conf', path: conf.path, line: entry.line } };
  };

  /** Names that are ours or nearly so; the hundreds that are Kong's alone are passed over in silence. */
  #lookOver(): void {
    const { env, conf } = this.#sources;
    for (const variable of Object.keys(env)) {
      if (variable.startsWith(kongVariable(FALLBACK_PREFIX)))
        this.#checkName(variable.slice('KONG_'.length).toLowerCase(), { kind: 'env', name: variable });
    }
    if (conf === undefined) return;
    for (const [name, entry] of conf.content.entries) {
      const origin: Origin = { kind: 'kong-conf', path: conf.path, line: entry.line };
      this.#checkName(name, origin);
      if (KONG_NAME_LIST.includes(name)) this.#checkForm({ text: '', name, origin }, entry);
    }
    for (const line of conf.content.strayLines.slice(0, MOST_STRAY_LINES)) {
      this.#warn(
        'KF_KONG_CONF_LINE',
        `${originText({ kind: 'kong-conf', path: conf.path, line }, this.#sources.cwd)} is not name = value and is passed over`,
        'Write a setting as name = value, and # before a comment.',
      );
    }
  }

  #checkName(name: string, origin: Origin): void {
    if (KONG_NAME_LIST.includes(name)) return;
    const near = didYouMean(name, KONG_NAME_LIST);
    if (!name.startsWith(FALLBACK_PREFIX) && !near?.startsWith(FALLBACK_PREFIX)) return;
    this.#warn(
      'KF_KONG_NAME_UNKNOWN',
      `${name} (${originText(origin, this.#sources.cwd)}) is no setting of the fallback configuration and has no effect`,
      near === undefined
        ? `Known are ${KONG_NAME_LIST.filter((known) => known.startsWith(FALLBACK_PREFIX)).join(', ')}.`
        : `Did you mean ${near}?`,
    );
  }

  #checkForm(value: KongValue, entry: KongConfEntry): void {
    if (entry.separator === ':') {
      this.#warn(
        'KF_KONG_CONF_COLON',
        `${this.describe(value)} is written with a colon, which Kong itself does not read`,
        `Write ${value.name} = …`,
      );
    }
    if (entry.repeats !== undefined) {
      this.#warn(
        'KF_KONG_CONF_REPEATED',
        `${this.describe(value)} stands on line ${entry.repeats} too; the last one counts`,
        'Remove one of them.',
      );
    }
  }

  #warn(code: string, message: string, hint: string): void {
    this.warnings.push({ code, message, hint });
  }
}

const pathOf = (setting: KongSetting): SettingPath | undefined =>
  setting in KONG_PATHS ? KONG_PATHS[setting as keyof typeof KONG_PATHS] : undefined;

/** For a value that Kong can use and we cannot: where to set it for us alone. */
function instead(setting: KongSetting): string {
  const path = pathOf(setting);
  return path === undefined || setting === 'storage'
    ? ''
    : `; or set KONGFALLBACK_${path.map((part) => upperSnake(String(part))).join('__')}, which goes over it`;
}
