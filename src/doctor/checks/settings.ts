import type { FallbackError } from '../../errors/index.ts';
import { fromError, type Observation } from '../observation.ts';

/** What loading the settings said, where it worked. */
export interface SettingsFacts {
  readonly file: string | undefined;
  readonly values: number;
  readonly warnings: readonly { readonly code: string; readonly message: string; readonly hint: string }[];
}

export function settingsLoaded({ file, values, warnings }: SettingsFacts): Observation[] {
  return [
    {
      severity: 'ok',
      code: 'settings-read',
      message: `${values} values, ${file === undefined ? 'no file' : `from ${file}`}`,
    },
    ...warnings.map((warning): Observation => ({ severity: 'warning', ...warning })),
  ];
}

const HINT =
  'Correct it; `kongfallback config --all` shows every value with its origin, and .kongfallbackrc.example every setting.';

/** Every problem by itself: loading names them all in one error, a line each. */
export function settingsRefused(error: FallbackError): Observation[] {
  const [, ...lines] = error.message.split('\n');
  if (error.code !== 'KF_SETTINGS_INVALID' || lines.length === 0) return [fromError(error, 'error')];
  return lines.map((line) => ({ severity: 'error', code: error.code, message: line.trim(), hint: HINT }));
}
