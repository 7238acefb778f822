import { accessSync, constants } from 'node:fs';
import type { BootstrapOutcome } from './outcome.ts';

const VARIABLE = 'KONG_DECLARATIVE_CONFIG';

/**
 * The gateway's environment: with the snapshot's file while the fallback is in use, and without it otherwise. A file of
 * the operator's own stays.
 *
 * @param outcome undefined: there is none, since something failed
 * @param ours the file that target `file` writes, absolute; undefined for other targets, and where it is not known
 */
export function gatewayEnvironment(
  env: NodeJS.ProcessEnv,
  outcome: BootstrapOutcome | undefined,
  ours: string | undefined,
): NodeJS.ProcessEnv {
  // Other targets name a URL or a program. And with a file that it cannot read Kong does not start.
  if (ours !== undefined && outcome?.applied === ours && isReadable(ours))
    return { ...env, [VARIABLE]: ours };
  const { [VARIABLE]: given, ...rest } = env;
  return given !== undefined && given === ours ? rest : env;
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
