import type { OpenedSettings } from '../composition/open-settings.ts';
import { codeOf } from '../errors/index.ts';
import type { LogLevel } from '../observe/index.ts';
import type { CommandIo } from './command-io.ts';
import { openCommandSettings } from './command-settings.ts';
import type { SettingsFlags } from './settings-options.ts';

/**
 * Settings for somebody who only looks: a node's, and where there is no node, such as on the backup node, an exporter's.
 *
 * @throws what loading them as a node's throws
 */
export async function openReader(
  flags: SettingsFlags,
  io: CommandIo,
  level: LogLevel,
): Promise<OpenedSettings> {
  try {
    return await openCommandSettings('node', flags, io, { level });
  } catch (error) {
    if (codeOf(error) !== 'KF_SETTINGS_INVALID') throw error;
    return await openCommandSettings('exporter', flags, io, { level }).catch(() => {
      throw error;
    });
  }
}
