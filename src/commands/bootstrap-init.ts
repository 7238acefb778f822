// `kongfallback bootstrap --init DIRECTORY`: before the gateway's container starts, in a folder that both see.
import { chmod, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type EnvScript, envScript } from '../bootstrap/env-script.ts';
import { FallbackError } from '../errors/index.ts';
import { writeFileAtomically } from '../restore/atomic-file.ts';
import { makeDirectory } from '../restore/make-directory.ts';
import { abortOnSignals } from '../service/signals.ts';
import { attemptBootstrap } from './bootstrap-attempt.ts';
import type { BootstrapFlags } from './bootstrap-flags.ts';
import { report } from './bootstrap-report.ts';
import type { CommandIo } from './command-io.ts';
import { renderError } from './render-error.ts';

const KONG = { prefix: '/usr/local/kong', environmentPath: 'dbless.lmdb' };
/** It holds no secret, and the gateway may run as another user. */
const SCRIPT_MODE = 0o644;

export async function bootstrapInit(directory: string, flags: BootstrapFlags, io: CommandIo): Promise<void> {
  const signal = abortOnSignals();
  const folder = resolve(io.cwd, directory);
  const document = join(folder, 'kong.json');
  try {
    await makeDirectory(folder);
    // Of an earlier creation: the control plane may be there now, and a gateway would start from the past.
    await rm(document, { force: true });
    // First of all, since it is what the gateway's container sources, whatever happens here.
    await writeScript(folder, { document, ...KONG });
  } catch (cause) {
    const error = unwritable(folder, cause as Error);
    if (flags.strict === true || flags.require === true) throw error;
    io.stderr(renderError(error));
    return;
  }
  const settings = { 'bootstrap.target.use': 'file', 'bootstrap.target.path': document };
  const { outcome, loaded, bootstrapper, redact } = await attemptBootstrap({ flags, io, signal, settings });
  if (outcome !== undefined) report(outcome, flags, io, redact);
  await bootstrapper?.close();
  const { kongPrefix, lmdbEnvironmentPath } = loaded?.settings.bootstrap ?? {};
  const written = outcome?.declarativeConfig ?? document;
  if (kongPrefix === undefined && lmdbEnvironmentPath === undefined && written === document) return;
  await writeScript(folder, {
    document: written,
    prefix: kongPrefix ?? KONG.prefix,
    environmentPath: lmdbEnvironmentPath ?? KONG.environmentPath,
  }).catch((error: Error) => io.stderr(renderError(unwritable(folder, error))));
}

async function writeScript(folder: string, script: EnvScript): Promise<void> {
  const path = join(folder, 'env.sh');
  await writeFileAtomically(path, [Buffer.from(envScript(script))]);
  await chmod(path, SCRIPT_MODE);
}

function unwritable(folder: string, cause: Error): FallbackError {
  return new FallbackError('invalid', 'KF_INIT_UNWRITABLE', `cannot write to ${folder}: ${cause.message}`, {
    cause,
    hint: 'Give --init a folder that this container may write and the gateway sees under the same path.',
  });
}
