import type { Command } from 'commander';
import { commonParts } from '../composition/common-parts.ts';
import { readHistory } from '../composition/history.ts';
import { Part } from '../composition/parts.ts';
import { get as getter } from '../composition/tokens.ts';
import { abortOnSignals } from '../service/signals.ts';
import type { CommandIo } from './command-io.ts';
import { openCommandSettings } from './command-settings.ts';
import { exitCodeOf } from './render-error.ts';
import { historyJson, historyText } from './render-history.ts';
import { type SettingsFlags, withSettingsOptions } from './settings-options.ts';

interface HistoryFlags extends SettingsFlags {
  readonly gatewayVersion?: string;
}

const CLOSE_DEADLINE_MS = 5000;

export function registerHistory(program: Command, io: CommandIo): void {
  withSettingsOptions(program.command('history'))
    .summary('the snapshots that are kept, what changed with each, and which one is held')
    .description(
      'Reads the heads from every storage, with the rights of a reader and nothing more, and lists what they name: ' +
        'newest first, the current one before all. `show`, `diff` and `rollback` take a sequence or a hash from here.',
    )
    .option('--gateway-version <version>', 'one line; default: all that the settings name')
    .action((flags: HistoryFlags) => historyCommand(flags, io));
}

async function historyCommand(flags: HistoryFlags, io: CommandIo): Promise<void> {
  const signal = abortOnSignals();
  const { loaded, log, redact } = await openCommandSettings('reader', flags, io, { level: 'error' });
  const get = getter(commonParts(loaded, log));
  try {
    const lines = await readHistory(get, flags.gatewayVersion, signal);
    const text =
      flags.json === true ? `${JSON.stringify({ lines: lines.map(historyJson) })}\n` : historyText(lines);
    io.stdout(redact(text));
    const empty = lines.find(({ snapshots }) => snapshots.length === 0);
    const error = empty?.stores.find((store) => store.error !== null)?.error;
    if (error != null) io.exit(exitCodeOf(error));
  } finally {
    await get(Part.lifecycle).close(get(Part.clock), log, CLOSE_DEADLINE_MS);
  }
}
