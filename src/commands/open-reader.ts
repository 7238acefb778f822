import type { OpenedSettings } from '../composition/open-settings.ts';
import { codeOf } from '../errors/index.ts';
import type { LogLevel } from '../observe/index.ts';
import type { CommandIo } from './command-io.ts';
import { openCommandSettings } from './command-settings.ts';
import type { SettingsFlags } from './settings-options.ts';

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
  try {
    return await openCommandSettings(first, flags, io, { level });
  } catch (error) {
    if (codeOf(error) !== 'KF_SETTINGS_INVALID') throw error;
    const other = first === 'node' ? 'exporter' : 'node';
    return await openCommandSettings(other, flags, io, { level }).catch(() => {
      throw error;
    });
  }
}
