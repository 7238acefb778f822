import { FallbackError } from '../errors/index.ts';
import type { Problem, SettingsWarning } from './problem.ts';
import type { Role } from './role.ts';
import type { SettingPath } from './setting-path.ts';

/** A file that every user of the machine may read, and the setting that names it. */
export interface OpenFile {
  readonly path: SettingPath;
  readonly file: string;
}

/** They are started by somebody who looks whether they start, and hold the keys of a whole fleet. */
const REFUSED_FOR: readonly Role[] = ['exporter', 'relay'];

/**
 * Key files that others may read. They are refused where that does no harm. A node fails open: on the day when its control
 * plane is down, a wrong mode must not be why it has no configuration, and it is told all the same. Readable by a group is
 * right: Kubernetes gives a secret to a process through its fsGroup.
 */
export function openKeys(
  role: Role,
  files: readonly OpenFile[],
): { readonly problems: readonly Problem[]; readonly warnings: readonly SettingsWarning[] } {
  if (!REFUSED_FOR.includes(role)) return { problems: [], warnings: files.map(told) };
  return {
    problems: files.map((open) => {
      const { message, hint } = told(open);
      const error = new FallbackError('invalid', 'KF_SETTINGS_KEY_READABLE', message, { hint });
      return { path: open.path, message: `${message}: run chmod o-r`, error };
    }),
    warnings: [],
  };
}

const told = ({ file }: OpenFile): SettingsWarning => ({
  code: 'KF_SETTINGS_KEY_READABLE',
  message: `the key file ${file} may be read by every user of this machine`,
  hint: `Run chmod o-r ${file}; for a Kubernetes secret set defaultMode: 0440.`,
});
