import { FallbackError } from '../errors/index.ts';
import { pathText, type SettingPath } from './setting-path.ts';

/** One thing that is wrong with the settings. */
export interface Problem {
  readonly path: SettingPath;
  /** Where the value came from: "file /etc/kongfallback/config.yaml:3:1", "env KONGFALLBACK_…". */
  readonly origin?: string | undefined;
  /** What is wrong and what is expected; never a value. */
  readonly message: string;
  /** The error behind it, where there is one: a problem that stands alone is thrown as this error. */
  readonly error?: FallbackError;
}

/** Something worth saying that does not stop the start. */
export interface SettingsWarning {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

/** Nobody corrects more at once; bounds the message whatever the file holds. */
export const MOST_PROBLEMS = 50;

/** All problems as one error, a line each; a value that is a secret is masked wherever it may have got in. */
export function settingsError(problems: readonly Problem[], mask: (text: string) => string): FallbackError {
  const [first] = problems;
  if (problems.length === 1 && first?.error !== undefined) return first.error;
  const lines = problems.slice(0, MOST_PROBLEMS).map(({ path, origin, message }) => {
    const where = path.length === 0 ? '' : pathText(path);
    const from = origin === undefined ? '' : ` (${origin})`;
    return `  ${where}${from}: ${message}`.replace('   (', '  (').replace('  : ', '  ');
  });
  if (problems.length > MOST_PROBLEMS) lines.push(`  and ${problems.length - MOST_PROBLEMS} more`);
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  return new FallbackError(
    'invalid',
    'KF_SETTINGS_INVALID',
    mask(`the settings have ${count}:\n${lines.join('\n')}`),
    {
      hint: 'Correct the lines above; `kongfallback config` shows every value with its origin, and .kongfallbackrc.example every setting.',
      cause: first?.error,
    },
  );
}
