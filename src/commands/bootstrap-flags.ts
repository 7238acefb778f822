import type { SettingsFlags } from './settings-options.ts';

export interface BootstrapFlags extends SettingsFlags {
  readonly once?: boolean;
  readonly init?: string;
  readonly force?: boolean;
  readonly require?: boolean;
  readonly strict?: boolean;
}
