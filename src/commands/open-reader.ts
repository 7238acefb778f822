import { type OpenedSettings, openSettings } from '../composition/open-settings.ts';
import { codeOf } from '../errors/index.ts';
import type { LogLevel } from '../observe/index.ts';
import type { CommandIo } from './command-io.ts';
import { flagsOf, type SettingsFlags } from './settings-options.ts';

/**
 * Settings for somebody who only looks: a node's, and where there is no node, such as on the backup node, an exporter's.
 *
 * @throws what loading them as those of the first role throws
 */
export async function openReader(
  flags: SettingsFlags,
  io: CommandIo,
  level: LogLevel,
  first: 'node' | 'exporter' = 'node',
): Promise<OpenedSettings> {
  const places = {
    configPath: flags.config,
    kongConf: flags.kongConf,
    flags: flagsOf(flags),
    cwd: io.cwd,
    env: io.env,
    terminal: io.terminal,
    level,
  };
  try {
    return await openSettings({ role: first, ...places });
  } catch (error) {
    if (codeOf(error) !== 'KF_SETTINGS_INVALID') throw error;
    const other = first === 'node' ? 'exporter' : 'node';
    return await openSettings({ role: other, ...places }).catch(() => {
      throw error;
    });
  }
}
