import type { Command } from 'commander';
import { commonParts } from '../composition/common-parts.ts';
import { diffSnapshots } from '../composition/diff.ts';
import { Part } from '../composition/parts.ts';
import { get as getter } from '../composition/tokens.ts';
import { FallbackError } from '../errors/index.ts';
import { abortOnSignals } from '../service/signals.ts';
import type { CommandIo } from './command-io.ts';
import { openReader } from './open-reader.ts';
import { diffJson, diffText } from './render-diff.ts';
import { type SettingsFlags, withSettingsOptions } from './settings-options.ts';

interface DiffFlags extends SettingsFlags {
  readonly gatewayVersion?: string;
  readonly values?: boolean;
  readonly limit: string;
}

const CLOSE_DEADLINE_MS = 5000;
const DEFAULT_LIMIT = '200';
const LARGEST_LIMIT = 100_000;

export function registerDiff(program: Command, io: CommandIo): void {
  withSettingsOptions(program.command('diff'))
    .summary('what changed between two snapshots, by entity, without secrets')
    .description(
      'Opens two snapshots that are kept, for which it needs a key that opens them, and compares them by entity. Shows ' +
        'names of fields; with --values also what they hold, where that can be no secret. In doubt it is masked.',
    )
    .argument('<from>', 'a sequence, the first 8 or more digits of a hash, "current" or "previous"')
    .argument('<to>', 'the same')
    .option('--gateway-version <version>', 'the line; default: the only one that the settings name')
    .option('--values', 'also values, masked where they may be secret')
    .option('--limit <entities>', 'show at most so many', DEFAULT_LIMIT)
    .action((from: string, to: string, flags: DiffFlags) => diffCommand(from, to, flags, io));
}

async function diffCommand(from: string, to: string, flags: DiffFlags, io: CommandIo): Promise<void> {
  const options = { limit: limitOf(flags.limit), values: flags.values === true };
  const signal = abortOnSignals();
  const { loaded, log, redact } = await openReader(flags, io, 'error');
  const get = getter(commonParts(loaded, log));
  try {
    const { gatewayVersion } = flags;
    const result = await diffSnapshots(get, { from, to, gatewayVersion }, { ...options, signal });
    io.stdout(redact(flags.json === true ? `${JSON.stringify(diffJson(result))}\n` : diffText(result)));
  } finally {
    await get(Part.lifecycle).close(get(Part.clock), log, CLOSE_DEADLINE_MS);
  }
}

function limitOf(text: string): number {
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= LARGEST_LIMIT) return limit;
  throw new FallbackError('invalid', 'KF_USAGE', `--limit ${text} is no number from 1 to ${LARGEST_LIMIT}`, {
    hint: `It counts entities; default ${DEFAULT_LIMIT}.`,
  });
}
