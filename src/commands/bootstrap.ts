import type { Command } from 'commander';
import { bootstrapParts, createBootstrap } from '../composition/bootstrap.ts';
import { openSettings } from '../composition/open-settings.ts';
import { Part } from '../composition/parts.ts';
import { get as getter } from '../composition/tokens.ts';
import { FallbackError } from '../errors/index.ts';
import { abortOnSignals } from '../service/signals.ts';
import type { CommandIo } from './command-io.ts';
import { bootstrapJson, bootstrapLine } from './render-bootstrap.ts';
import { exitCodeOf, renderError } from './render-error.ts';
import { flagsOf, type SettingsFlags, withSettingsOptions } from './settings-options.ts';

interface BootstrapFlags extends SettingsFlags {
  readonly once?: boolean;
}

const CLOSE_DEADLINE_MS = 5000;

export function registerBootstrap(program: Command, io: CommandIo): void {
  withSettingsOptions(program.command('bootstrap'))
    .summary('configure a new data plane from storage when the control plane is down')
    .description(
      'Asks the control plane first. When it sends no configuration in time, takes the newest trustworthy snapshot ' +
        'from storage, or the sealed copy in the cache, and gives it to the target. Only for a node that has no ' +
        'configuration yet.',
    )
    .option('--once', 'one pass: control plane, storage, cache; then end')
    .action((flags: BootstrapFlags) => bootstrapCommand(flags, io));
}

async function bootstrapCommand(flags: BootstrapFlags, io: CommandIo): Promise<void> {
  if (flags.once !== true) {
    throw new FallbackError('invalid', 'KF_USAGE', 'bootstrap runs once: give --once', {
      hint: 'Run `kongfallback bootstrap --once` before Kong starts on a node without a configuration.',
    });
  }
  const signal = abortOnSignals();
  const { loaded, log, redact } = await openSettings({
    role: 'node',
    configPath: flags.config,
    kongConf: flags.kongConf,
    flags: flagsOf(flags),
    cwd: io.cwd,
    env: io.env,
    terminal: io.terminal,
  });
  const parts = bootstrapParts(loaded, log);
  const get = getter(parts);
  try {
    const bootstrap = await createBootstrap(parts);
    const outcome = await bootstrap.once({ signal });
    if (flags.json === true) io.stdout(`${redact(JSON.stringify(bootstrapJson(outcome)))}\n`);
    else io.stdout(redact(bootstrapLine(outcome)));
    if (outcome.error === undefined) return;
    io.stderr(redact(renderError(outcome.error)));
    io.exit(exitCodeOf(outcome.error));
  } finally {
    await get(Part.lifecycle).close(get(Part.clock), log, CLOSE_DEADLINE_MS);
  }
}
