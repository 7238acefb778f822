import { FallbackError } from '../errors/index.ts';

/**
 * The values of `--set path=value` by path; the last of a path wins.
 *
 * @throws `invalid` KF_SETTINGS_FLAG
 */
export function parseSetFlags(texts: readonly string[]): Readonly<Record<string, string>> {
  const pairs = texts.map((text) => {
    const equals = text.indexOf('=');
    if (equals > 0) return [text.slice(0, equals), text.slice(equals + 1)] as const;
    throw new FallbackError(
      'invalid',
      'KF_SETTINGS_FLAG',
      '--set was given something that is not path=value',
      {
        hint: 'Write it as in --set export.delaySeconds=5 or --set storages[0].bucket=kong-fallback.',
      },
    );
  });
  return Object.fromEntries(pairs);
}
