import { accessSync, constants } from 'node:fs';
import { isAbsolute } from 'node:path';
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
  outcome: Pick<BootstrapOutcome, 'declarativeConfig'> | undefined,
  ours: string | undefined,
): NodeJS.ProcessEnv {
  const written = outcome?.declarativeConfig ?? undefined;
  // With a file that it cannot read Kong does not start.
  if (written !== undefined && isAbsolute(written) && isReadable(written))
    return { ...env, [VARIABLE]: written };
  const { [VARIABLE]: given, ...rest } = env;
  return given !== undefined && [ours, written].includes(given) ? rest : env;
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
