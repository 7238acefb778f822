import { Command } from 'commander';
import { type RunRole, runRole } from '../config/index.ts';
import type { CommandIo } from './command-io.ts';
import { flagsOf, type SettingsFlags, withSettingsOptions } from './settings-options.ts';

interface RunFlags extends SettingsFlags {
  readonly once?: boolean;
}

interface RunCommand {
  readonly name: string;
  readonly load: () => Promise<(program: Command, io: CommandIo) => void>;
}

const COMMAND_OF_ROLE: Readonly<Record<RunRole, RunCommand>> = {
  exporter: { name: 'export', load: async () => (await import('./export.ts')).registerExport },
  node: { name: 'bootstrap', load: async () => (await import('./bootstrap.ts')).registerBootstrap },
};

export function registerRun(program: Command, io: CommandIo): void {
  withSettingsOptions(program.command('run'))
    .summary('run what the settings say: the backup node, or a new data plane')
    .description(
      "Runs `export` where Kong's cluster_fallback_config_export is on (also when import is on as well), `bootstrap` " +
        'where only cluster_fallback_config_import is. Where neither is on, an export section in the settings means ' +
        '`export` and a bootstrap.target means `bootstrap`; both or neither is an error.',
    )
    .option('--once', 'one pass, then end')
    .argument('[command...]', 'on a data plane: what to start, behind --')
    .action((command: readonly string[], flags: RunFlags) => runCommand(program, command, flags, io));
}

async function runCommand(
  program: Command,
  command: readonly string[],
  flags: RunFlags,
  io: CommandIo,
): Promise<void> {
  const { config, kongConf, json, once, set } = flags;
  const { rawArgs } = program as unknown as { readonly rawArgs: readonly string[] };
  const places = { configPath: config, kongConf, cwd: io.cwd, env: io.env };
  const { name, load } =
    COMMAND_OF_ROLE[await roleFor(command, () => runRole({ ...places, flags: flagsOf(flags) }))];
  const words = [
    name,
    ...(config === undefined ? [] : ['--config', config]),
    ...(kongConf === undefined ? [] : ['--kong-conf', kongConf]),
    ...set.flatMap((value) => ['--set', value]),
    ...(json === true ? ['--json'] : []),
    ...(once === true ? ['--once'] : []),
    // Only where it was written: bootstrap refuses a command without it.
    ...(rawArgs.includes('--') ? ['--'] : []),
    ...command,
  ];
  const other = new Command('kongfallback').exitOverride().configureOutput(program.configureOutput());
  (await load())(other, io);
  await other.parseAsync(words, { from: 'user' });
}

/** A gateway that is to be started is never kept from it: settings that cannot be read are bootstrap's to report. */
async function roleFor(command: readonly string[], role: () => Promise<RunRole>): Promise<RunRole> {
  try {
    return await role();
  } catch (error) {
    if (command.length > 0) return 'node';
    throw error;
  }
}
