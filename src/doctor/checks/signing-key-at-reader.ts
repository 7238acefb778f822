import { access, constants } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Observation } from '../observation.ts';

/**
 * A reader that can sign makes every reader a place to forge from. One settings file may serve all, so the setting alone
 * is no fault; that what it names is there, is.
 *
 * @param given signing.privateKey as written, not resolved
 */
export async function signingKeyAtReader(
  given: string | undefined,
  { baseDirectory, env }: { readonly baseDirectory: string; readonly env: NodeJS.ProcessEnv },
): Promise<Observation[]> {
  const where = given === undefined ? undefined : await placeOf(given, baseDirectory, env);
  if (where === undefined) {
    return [
      { severity: 'ok', code: 'signing-key-absent', message: 'the signing key is not on this machine' },
    ];
  }
  return [
    {
      severity: 'warning',
      code: 'signing-key-at-reader',
      message: `the exporter's signing key can be read here (${where})`,
      hint: 'Remove it from this machine: whoever takes it over could forge what all data planes run. Only the exporter signs.',
    },
  ];
}

async function placeOf(
  given: string,
  baseDirectory: string,
  env: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  const [, kind, name] = /^\$\{(file|env):([^}]+)\}$/.exec(given.trim()) ?? [];
  if (name === undefined) return 'in the settings';
  if (kind === 'env') return (env[name] ?? '') === '' ? undefined : `variable ${name}`;
  const path = resolve(baseDirectory, name);
  return access(path, constants.R_OK).then(
    () => path,
    () => undefined,
  );
}
