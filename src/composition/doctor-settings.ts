import type { LoadedSettings } from '../config/index.ts';
import { settingsLoaded, settingsRefused } from '../doctor/checks/settings.ts';
import type { Observation } from '../doctor/observation.ts';
import type { DoctorRole } from '../doctor/report.ts';
import { classify } from '../errors/index.ts';
import type { Logger } from '../plugin/plugin.ts';
import { type OpenSettingsOptions, openSettings } from './open-settings.ts';

export type DoctorPlaces = Omit<OpenSettingsOptions, 'role' | 'level' | 'write' | 'warned'>;

export interface DoctorSettings {
  readonly seen: readonly Observation[];
  /** Undefined: not even the heads can be looked at. */
  readonly usable: { readonly loaded: LoadedSettings; readonly log: Logger } | undefined;
  readonly redact: (text: string) => string;
}

/**
 * The role's settings, or what is wrong with them. The stores can often be looked at all the same, as somebody does who holds
 * no key: that needs fewer of the settings.
 */
export async function doctorSettings(role: DoctorRole, places: DoctorPlaces): Promise<DoctorSettings> {
  try {
    const { loaded, log, redact } = await openSettings({ ...places, role, level: 'error' });
    const { file, rows, warnings } = loaded;
    return { seen: settingsLoaded({ file, values: rows.length, warnings }), usable: { loaded, log }, redact };
  } catch (thrown) {
    const seen = settingsRefused(classify(thrown, 'settings'));
    const asReader = await openSettings({ ...places, role: 'reader', level: 'error' }).catch(() => undefined);
    return { seen, usable: asReader, redact: asReader?.redact ?? ((text) => text) };
  }
}
