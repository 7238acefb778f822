import type { Command } from 'commander';
import { commonParts } from '../composition/common-parts.ts';
import { Part } from '../composition/parts.ts';
import { readStatus } from '../composition/status.ts';
import { get as getter } from '../composition/tokens.ts';
import { abortOnSignals } from '../service/signals.ts';
import type { CommandIo } from './command-io.ts';
import { openCommandSettings } from './command-settings.ts';
import { HEALTH_EXIT_CODE } from './health-exit-code.ts';
import { statusText } from './render-status.ts';
import { type SettingsFlags, withSettingsOptions } from './settings-options.ts';

const CLOSE_DEADLINE_MS = 5000;

export function registerStatus(program: Command, io: CommandIo): void {
  withSettingsOptions(program.command('status'))
    .summary('what the storages hold, how old it is, and whether it is confirmed')
    .description(
      'Reads the head of every gateway version from every storage, with the rights of a reader and nothing more, and ' +
        'says how a new data plane would fare. Exit code 0: well; 21: degraded; 22: it would get nothing.',
    )
    .action((flags: SettingsFlags) => statusCommand(flags, io));
}

async function statusCommand(flags: SettingsFlags, io: CommandIo): Promise<void> {
  const signal = abortOnSignals();
  // What is wrong is in the answer; the log would say it twice.
  const { loaded, log, redact } = await openCommandSettings('reader', flags, io, { level: 'error' });
  const parts = commonParts(loaded, log);
  const get = getter(parts);
  try {
    const report = await readStatus(parts, signal);
    io.stdout(redact(flags.json === true ? `${JSON.stringify(report)}\n` : statusText(report)));
    io.exit(HEALTH_EXIT_CODE[report.status]);
  } finally {
    await get(Part.lifecycle).close(get(Part.clock), log, CLOSE_DEADLINE_MS);
  }
}
