import type { Command } from 'commander';
import { bootstrapParts } from '../composition/bootstrap.ts';
import { Bootstrapper } from '../composition/bootstrapper.ts';
import { FallbackError } from '../errors/index.ts';
import { abortOnSignals } from '../service/signals.ts';
import type { BootstrapFlags } from './bootstrap-flags.ts';
import { report } from './bootstrap-report.ts';
import type { CommandIo } from './command-io.ts';
import { openCommandSettings } from './command-settings.ts';
import { exitCodeOf } from './render-error.ts';
import { withSettingsOptions } from './settings-options.ts';

export function registerBootstrap(program: Command, io: CommandIo): void {
  withSettingsOptions(program.command('bootstrap'))
    .summary('configure a new data plane from storage when the control plane is down')
    .description(
      'Leaves a node alone that has a configuration. Else asks the control plane; when it sends no configuration in time, ' +
        'takes the newest trustworthy snapshot from storage, or the sealed copy in the cache, and gives it to the target. ' +
        'Without --once, --init and a command it keeps trying until it has one, then watches for the control plane, ' +
        'until it is stopped (SIGTERM).',
    )
    .argument('[command...]', 'what starts the gateway, behind --: it is started in any case')
    .option('--once', 'one pass: control plane, storage, cache; then end')
    .option(
      '--init <directory>',
      'write the snapshot, and an env.sh for the gateway to source, there; then end',
    )
    .option('--force', 'also a node that has a configuration, which it loses')
    .option('--require', 'with a command or --init: no gateway without a configuration')
    .option('--strict', 'with a command or --init: no gateway when something fails here')
    .action((command: readonly string[], flags: BootstrapFlags) =>
      bootstrapCommand(program, command, flags, io),
    );
}

async function bootstrapCommand(
  program: Command,
  command: readonly string[],
  flags: BootstrapFlags,
  io: CommandIo,
): Promise<void> {
  checkUsage(program, command, flags);
  // Imported here, since a bootstrap must start fast: each form needs its own only.
  if (command.length > 0) {
    await (await import('./bootstrap-gateway.ts')).bootstrapGateway(command, flags, io);
  } else if (flags.init !== undefined) {
    await (await import('./bootstrap-init.ts')).bootstrapInit(flags.init, flags, io);
  } else await bootstrapHere(flags, io);
}

/** `--once`, or for good. */
async function bootstrapHere(flags: BootstrapFlags, io: CommandIo): Promise<void> {
  const signal = abortOnSignals();
  const { loaded, log, redact } = await openCommandSettings('node', flags, io);
  const options = { force: flags.force === true, env: io.env };
  const bootstrapper = new Bootstrapper(bootstrapParts(loaded, log), options);
  try {
    if (flags.once !== true) {
      return await bootstrapper.run(signal, (outcome) => report(outcome, flags, io, redact));
    }
    const outcome = await bootstrapper.once({ signal });
    report(outcome, flags, io, redact);
    if (outcome.error !== undefined) io.exit(exitCodeOf(outcome.error));
  } finally {
    await bootstrapper.close();
  }
}

function checkUsage(program: Command, command: readonly string[], flags: BootstrapFlags): void {
  const forms = [
    ...(flags.once === true ? ['--once'] : []),
    ...(flags.init === undefined ? [] : ['--init']),
    ...(command.length === 0 ? [] : ['a command']),
  ];
  if (forms.length > 1) throw usage(`${forms.join(' and ')} do not go together`);
  // Without -- options of the gateway's command would be taken for ours.
  const words = (program as unknown as { readonly rawArgs: readonly string[] }).rawArgs;
  if (command.length > 0 && !words.includes('--'))
    throw usage(`unexpected word ${command[0]}: write -- before a command`);
  const turnsRound = flags.require === true || flags.strict === true;
  if (turnsRound && command.length === 0 && flags.init === undefined) {
    throw usage('--require and --strict go with a command or --init');
  }
}

const usage = (message: string): FallbackError =>
  new FallbackError('invalid', 'KF_USAGE', message, {
    hint: 'Run `kongfallback bootstrap -- COMMAND…`, `--init DIRECTORY`, `--once`, or none of them to keep running.',
  });
