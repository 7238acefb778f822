import { type LoadedSettings, loadSettings, type Role } from '../config/index.ts';
import { createLogger, type LogLevel, Redactor } from '../observe/index.ts';
import type { Logger } from '../plugin/plugin.ts';
import { environmentSecrets } from './environment-secrets.ts';
import { InstalledPlugins } from './plugin-catalogue.ts';

export interface OpenSettingsOptions {
  readonly role: Role;
  readonly configPath?: string | undefined;
  /** What `--kong-conf` names. */
  readonly kongConf?: string | undefined;
  readonly flags?: Readonly<Record<string, string>> | undefined;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** For a person at a terminal: text instead of JSON lines. */
  readonly terminal: boolean;
  /** Takes the place of `log.level`. */
  readonly level?: LogLevel;
  readonly write?: (line: string) => void;
  /** Of the process, when several roles, or the same settings again, are opened in it. */
  readonly redactor?: Redactor;
  /** Warnings that were logged for another role of this process, and those of this one: each is logged once. */
  readonly warned?: Set<string>;
}

export interface OpenedSettings {
  readonly loaded: LoadedSettings;
  readonly log: Logger;
  /** Blanks every secret of the settings; for all output that is not the log. */
  readonly redact: (text: string) => string;
}

/** Settings with the log they ask for; their warnings are its first lines. */
export async function openSettings(options: OpenSettingsOptions): Promise<OpenedSettings> {
  const { role, configPath, kongConf, flags, cwd, env } = options;
  const places = { configPath, kongConf, flags, cwd, env };
  const loaded = await loadSettings({ role, ...places, catalogue: new InstalledPlugins() });
  const { redactor = new Redactor() } = options;
  redactor.learn([...loaded.secrets, ...environmentSecrets(env)]);
  const { redact } = redactor;
  const log = createLogger({
    level: options.level ?? loaded.settings.log.level,
    format: options.terminal ? 'text' : 'json',
    redact,
    ...(options.write && { write: options.write }),
  });
  const { warned = new Set() } = options;
  for (const { code, message, hint } of loaded.warnings) {
    if (warned.has(`${code} ${message}`)) continue;
    warned.add(`${code} ${message}`);
    log.warn({ event: 'settings.warning', code, hint }, message);
  }
  return { loaded, log, redact };
}
