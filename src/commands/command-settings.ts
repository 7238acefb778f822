import { type OpenedSettings, openSettings } from '../composition/open-settings.ts';
import type { Role } from '../config/index.ts';
import type { LogLevel } from '../observe/index.ts';
import type { CommandIo } from './command-io.ts';
import { flagsOf, type SettingsFlags } from './settings-options.ts';

export interface CommandSettingsOptions {
  /** In place of `log.level`. */
  readonly level?: LogLevel;
  /** Over everything else, as `--set` is. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
  /** Warnings of other roles of this process: not logged again. */
  readonly warned?: Set<string>;
}

/** The settings of a command's role, from its flags and its process. */
export function openCommandSettings(
  role: Role,
  flags: SettingsFlags,
  io: CommandIo,
  { level, settings, warned }: CommandSettingsOptions = {},
): Promise<OpenedSettings> {
  return openSettings({
    role,
    configPath: flags.config,
    kongConf: flags.kongConf,
    flags: { ...flagsOf(flags), ...settings },
    cwd: io.cwd,
    env: io.env,
    terminal: io.terminal,
    ...(io.redactor !== undefined && { redactor: io.redactor }),
    ...(level !== undefined && { level }),
    ...(warned !== undefined && { warned }),
  });
}
