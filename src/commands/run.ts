import { Command, Option } from 'commander';
import { type RunRole, runRoles } from '../config/index.ts';
import { FallbackError } from '../errors/index.ts';
import type { CommandIo } from './command-io.ts';
import { exitCodeOf, renderError } from './render-error.ts';
import type { RunFlags } from './run-flags.ts';
import { flagsOf, withSettingsOptions } from './settings-options.ts';

interface RunCommand {
  readonly name: string;
  readonly load: () => Promise<(program: Command, io: CommandIo) => void>;
}

/** Alone in its process a role is its command. */
const COMMAND_OF_ROLE: Readonly<Record<RunRole, RunCommand>> = {
  exporter: { name: 'export', load: async () => (await import('./export.ts')).registerExport },
  node: { name: 'bootstrap', load: async () => (await import('./bootstrap.ts')).registerBootstrap },
  relay: { name: 'relay', load: async () => (await import('./relay.ts')).registerRelay },
};

const ROLE_OF_WORD: Readonly<Record<string, RunRole>> = {
  export: 'exporter',
  exporter: 'exporter',
  bootstrap: 'node',
  node: 'node',
  relay: 'relay',
};

export function registerRun(program: Command, io: CommandIo): void {
  withSettingsOptions(program.command('run'))
    .summary('run what the settings say: backup node, data plane, relay, or several of them')
    .description(
      "Runs every role that the settings hold, in one process. Of Kong's switches cluster_fallback_config_export makes " +
        'a backup node (also when import is on as well), import alone a data plane. Where neither is on, an export ' +
        'section makes the one and a bootstrap.target the other. relay.listen makes a relay in any case.',
    )
    .option('--once', 'one pass, then end')
    .addOption(roleOption())
    .argument('[command...]', 'on a data plane: what to start, behind --')
    .action((command: readonly string[], flags: RunFlags) => runCommand(program, command, flags, io));
}

async function runCommand(
  program: Command,
  command: readonly string[],
  flags: RunFlags,
  io: CommandIo,
): Promise<void> {
  const { rawArgs } = program as unknown as { readonly rawArgs: readonly string[] };
  const separated = rawArgs.includes('--');
  const roles = narrowed(await rolesFor(command, flags, io), flags.role);
  if (flags.once === true) return runOnce(roles, (role) => runAlone(program, role, command, flags, io), io);
  const [role, ...others] = roles;
  if (role !== undefined && others.length === 0) return runAlone(program, role, command, flags, io);
  if (command.length > 0 && !separated)
    throw usage(`unexpected word ${command[0]}: write -- before a command`);
  if (command.length > 0 && !roles.includes('node'))
    throw usage('a command is for a data plane, and none is run');
  const { runBesideGateway, runSeveral } = await import('./run-several.ts');
  if (command.length > 0) await runBesideGateway(roles, command, flags, io);
  else await runSeveral(roles, flags, io);
}

/** Exactly what its command does, with every option that was given here. */
async function runAlone(
  program: Command,
  role: RunRole,
  command: readonly string[],
  flags: RunFlags,
  io: CommandIo,
): Promise<void> {
  const entry = COMMAND_OF_ROLE[role];
  const { config, kongConf, json, once, set } = flags;
  if (role === 'relay' && once === true) throw usage('the relay has no single pass: leave --once out');
  const { rawArgs } = program as unknown as { readonly rawArgs: readonly string[] };
  const words = [
    entry.name,
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
  (await entry.load())(other, io);
  await other.parseAsync(words, { from: 'user' });
}

/**
 * One after the other, a relay left out, which has no single pass. The first failure decides the exit code, and keeps no
 * other from its pass.
 */
async function runOnce(
  roles: readonly RunRole[],
  run: (role: RunRole) => Promise<void>,
  io: CommandIo,
): Promise<void> {
  if (roles.length === 1) return run(roles[0] as RunRole);
  let code = 0;
  for (const role of roles.filter((one) => one !== 'relay')) {
    await run(role).catch((error: unknown) => {
      io.stderr(renderError(error));
      code ||= exitCodeOf(error);
    });
  }
  if (code !== 0) io.exit(code);
}

/** A gateway that is to be started is never kept from it: settings that cannot be read are bootstrap's to report. */
async function rolesFor(
  command: readonly string[],
  flags: RunFlags,
  io: CommandIo,
): Promise<readonly RunRole[]> {
  const { config: configPath, kongConf } = flags;
  try {
    return await runRoles({ configPath, kongConf, cwd: io.cwd, env: io.env, flags: flagsOf(flags) });
  } catch (error) {
    if (command.length > 0) return ['node'];
    throw error;
  }
}

function narrowed(held: readonly RunRole[], asked: readonly RunRole[]): readonly RunRole[] {
  const missing = asked.find((role) => !held.includes(role));
  if (missing === undefined) return asked.length === 0 ? held : held.filter((role) => asked.includes(role));
  throw new FallbackError(
    'invalid',
    'KF_RUN_NO_ROLE',
    `--role ${missing}: the settings hold no such role, but ${held.join(', ')}`,
    { hint: 'An export section makes an exporter, bootstrap.target a node, relay.listen a relay.' },
  );
}

function roleOption(): Option {
  return new Option('--role <name>', 'only this one: export, bootstrap or relay; repeatable')
    .argParser((word: string, former: readonly RunRole[]) => {
      const role = Object.hasOwn(ROLE_OF_WORD, word) ? ROLE_OF_WORD[word] : undefined;
      if (role === undefined) throw usage(`--role ${word}: it is export, bootstrap or relay`);
      return [...former, role];
    })
    .default([], 'all that the settings hold');
}

const usage = (message: string): FallbackError =>
  new FallbackError('invalid', 'KF_USAGE', message, {
    hint: 'Run `kongfallback run`, `--role NAME` for some of the roles, or `-- COMMAND…` on a data plane.',
  });
