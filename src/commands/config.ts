import { type Command, Option } from 'commander';
import { InstalledPlugins } from '../composition/plugin-catalogue.ts';
import { type LoadedSettings, loadSettings, parseSetFlags, type Role } from '../config/index.ts';
import { EXIT_CODE_OF_KIND, kindOf } from '../errors/index.ts';
import type { CommandIo } from './command-io.ts';
import { errorJson } from './render-error.ts';
import { configOption, kongConfOption, setOption } from './settings-options.ts';

interface ConfigOptions {
  readonly role: Exclude<Role, 'all'>;
  readonly all?: true;
  readonly json?: true;
  readonly config?: string;
  readonly kongConf?: string;
  readonly set: readonly string[];
}

/** Longer values, such as a PEM written into the file, are cut in the table; `--json` has them whole. */
const WIDEST_VALUE = 100;

export function registerConfig(program: Command, io: CommandIo): void {
  program
    .command('config')
    .summary('print the settings, each with where it came from')
    .description('Checks the settings, and prints every value with where it came from; secrets as ***.')
    .addOption(
      new Option('--role <role>', 'as which role to check them')
        .choices(['exporter', 'node', 'relay'])
        .default('exporter'),
    )
    .option('--all', 'for every role: resolve every secret and load every plugin')
    .option('--json', 'print JSON')
    .addOption(configOption())
    .addOption(kongConfOption())
    .addOption(setOption())
    .action(async (options: ConfigOptions) => io.exit(await runConfig(options, io)));
}

async function runConfig(options: ConfigOptions, io: CommandIo): Promise<number> {
  const json = options.json === true;
  let loaded: LoadedSettings;
  try {
    loaded = await loadSettings({
      role: options.all === true ? 'all' : options.role,
      configPath: options.config,
      kongConf: options.kongConf,
      cwd: io.cwd,
      env: io.env,
      flags: parseSetFlags(options.set),
      catalogue: new InstalledPlugins(),
    });
  } catch (error) {
    const kind = kindOf(error);
    if (!json || kind === undefined) throw error;
    io.stdout(`${JSON.stringify({ error: errorJson(error) }, null, 2)}\n`);
    return EXIT_CODE_OF_KIND[kind];
  }
  io.stdout(json ? `${JSON.stringify(asJson(loaded), null, 2)}\n` : asText(loaded));
  if (json) return 0;
  for (const { code, message, hint } of loaded.warnings) {
    io.stderr(`warning: ${message} [${code}]\n  hint: ${hint}\n`);
  }
  return 0;
}

function asJson({ role, file, rows, entries, warnings }: LoadedSettings): object {
  const { storages, encryption, validators, source, target } = entries;
  const plugins = [source, ...storages, ...encryption, ...validators, target]
    .filter((entry) => entry !== undefined)
    .map(({ kind, id, use, reference }) => ({ kind, id, use, from: reference.url ?? 'built-in' }));
  return { role, file: file ?? null, settings: rows, plugins, warnings };
}

function asText({ role, file, rows }: LoadedSettings): string {
  const shown = rows.map(
    ({ path, value, origin }) => [path, shorten(JSON.stringify(value)), origin] as const,
  );
  const widths = [0, 1].map((column) => Math.max(0, ...shown.map((row) => row[column]?.length ?? 0)));
  const lines = shown.map(
    ([path, value, origin]) => `${path.padEnd(widths[0] ?? 0)}  ${value.padEnd(widths[1] ?? 0)}  ${origin}`,
  );
  return `# settings of role ${role}, file ${file ?? 'none'}\n${lines.join('\n')}\n`;
}

const shorten = (text: string): string =>
  text.length <= WIDEST_VALUE ? text : `${text.slice(0, WIDEST_VALUE - 1)}…`;
