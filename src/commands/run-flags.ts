import type { RunRole } from '../config/index.ts';
import type { SettingsFlags } from './settings-options.ts';

export interface RunFlags extends SettingsFlags {
  readonly once?: boolean;
  readonly role: readonly RunRole[];
}
