// argv → command → exit code. Only the named command's module is loaded: a bootstrap must start fast.
import { Command, CommanderError } from 'commander';
import type { CommandIo } from './commands/command-io.ts';
import { exitCodeOf, renderError } from './commands/render-error.ts';
import { FallbackError } from './errors/index.ts';
import { printable, Redactor } from './observe/index.ts';
import { version } from './observe/version.ts';

type Register = (program: Command, io: CommandIo) => void;

interface CommandEntry {
  readonly summary: string;
  readonly load: () => Promise<Register>;
}

const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  export: {
    summary: "publish the control plane's configuration to object storage (the backup node)",
    load: async () => (await import('./commands/export.ts')).registerExport,
  },
  bootstrap: {
    summary: 'configure a new data plane from storage when the control plane is down',
    load: async () => (await import('./commands/bootstrap.ts')).registerBootstrap,
  },
  relay: {
    summary:
      'the address that data planes dial: passes through, and stands in while the control plane is down',
    load: async () => (await import('./commands/relay.ts')).registerRelay,
  },
  run: {
    summary: 'run what the settings say: backup node, data plane, relay, or several of them',
    load: async () => (await import('./commands/run.ts')).registerRun,
  },
  status: {
    summary: 'what the storages hold, how old it is, and whether it is confirmed',
    load: async () => (await import('./commands/status.ts')).registerStatus,
  },
  drill: {
    summary: 'prove that a new data plane would get its configuration: restore, and throw away',
    load: async () => (await import('./commands/drill.ts')).registerDrill,
  },
  doctor: {
    summary: 'check from here everything that a role needs, before the day it is needed',
    load: async () => (await import('./commands/doctor.ts')).registerDoctor,
  },
  history: {
    summary: 'the snapshots that are kept, what changed with each, and which one is held',
    load: async () => (await import('./commands/history.ts')).registerHistory,
  },
  show: {
    summary: 'one snapshot: what is known of it, or its document',
    load: async () => (await import('./commands/show.ts')).registerShow,
  },
  diff: {
    summary: 'what changed between two snapshots, by entity, without secrets',
    load: async () => (await import('./commands/diff.ts')).registerDiff,
  },
  trust: {
    summary: 'what this node has seen, and whether it takes what the storages hold',
    load: async () => (await import('./commands/trust.ts')).registerTrust,
  },
  rollback: {
    summary: 'publish an older snapshot again, and hold back what it replaces',
    load: async () => (await import('./commands/rollback.ts')).registerRollback,
  },
  policy: {
    summary: 'the AWS IAM policy that the exporter, or whoever only reads, needs',
    load: async () => (await import('./commands/policy.ts')).registerPolicy,
  },
  config: {
    summary: 'print the settings, each with where it came from',
    load: async () => (await import('./commands/config.ts')).registerConfig,
  },
  keygen: {
    summary: 'make a signing key pair or an encryption key',
    load: async () => (await import('./commands/keygen.ts')).registerKeygen,
  },
};

const USAGE_ERROR = 2;

/** Runs one command line and returns its exit code; never throws, never ends the process. */
export async function main(argv: readonly string[], io: Partial<CommandIo> = {}): Promise<number> {
  let exitCode = 0;
  const redactor = new Redactor();
  const full: CommandIo = {
    stdout: (text) => process.stdout.write(printable(text)),
    stderr: (text) => process.stderr.write(printable(text)),
    env: process.env,
    cwd: process.cwd(),
    terminal: process.stderr.isTTY === true,
    exit: (code) => {
      exitCode = code;
    },
    redactor,
    ...io,
  };
  try {
    const program = await createProgram(argv, full);
    if (argv.length === 0) {
      full.stderr(program.helpInformation());
      return USAGE_ERROR;
    }
    await program.parseAsync(argv as string[], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    const shown = error instanceof CommanderError ? usageError(error) : error;
    full.stderr(redactor.redact(renderError(shown)));
    return exitCodeOf(shown);
  }
}

/** The parser's own message, perhaps with a second line such as "(Did you mean --once?)". */
function usageError({ message }: CommanderError): FallbackError {
  const said = message.replace(/^error: /, '').replaceAll('\n', ' ');
  return new FallbackError('invalid', 'KF_USAGE', said, {
    hint: 'Run kongfallback with --help, or a command with --help, to see what there is.',
  });
}

async function createProgram(argv: readonly string[], io: CommandIo): Promise<Command> {
  const program = new Command('kongfallback')
    .description('Data plane resilience for Kong Gateway in hybrid mode')
    .version(version(), '-V, --version')
    .exitOverride()
    // Errors of usage are shown by main, like all others.
    .configureOutput({ writeOut: io.stdout, writeErr: io.stderr, outputError: () => {} })
    .addHelpText('after', '\nExit codes and error codes: src/errors/README.md in the package.');
  const named = argv.find((word) => word in COMMANDS);
  for (const [name, { summary, load }] of Object.entries(COMMANDS)) {
    if (name === named) (await load())(program, io);
    else program.command(name).summary(summary).description(summary).allowUnknownOption();
  }
  return program;
}
