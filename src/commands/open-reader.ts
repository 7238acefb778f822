import type { OpenedSettings } from '../composition/open-settings.ts';
import { codeOf } from '../errors/index.ts';
import type { LogLevel } from '../observe/index.ts';
import type { CommandIo } from './command-io.ts';
import { openCommandSettings } from './command-settings.ts';
import type { SettingsFlags } from './settings-options.ts';

/** A node needs one, and who only looks applies nothing: a monitor or a relay's host has none in its settings. */
const NO_TARGET = { 'bootstrap.target.use': 'file', 'bootstrap.target.path': 'nothing-is-applied.json' };

/**
 * Settings for somebody who only looks: a node's, and where there is no node, such as on the backup node, an
 * exporter's, or a reader's with the key that opens.
 *
 * @throws what loading them as a reader's with the key throws
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
    return await openCommandSettings('exporter', flags, io, { level }).catch(() =>
      openCommandSettings('node', flags, io, { level, settings: NO_TARGET }),
    );
  }
}
