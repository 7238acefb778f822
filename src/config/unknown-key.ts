import { didYouMean } from './did-you-mean.ts';
import type { Problem } from './problem.ts';
import type { SettingPath } from './setting-path.ts';

/** The problem of a key that no schema knows, with the nearest of those it knows. */
export function unknownKey(path: SettingPath, known: readonly string[]): Problem {
  const near = didYouMean(String(path.at(-1)), known);
  return { path, message: `is no setting${near === undefined ? '' : `; did you mean ${near}?`}` };
}
