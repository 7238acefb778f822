import type { Command } from 'commander';
import { Exporter, exporterParts, type LineResult } from '../composition/exporter.ts';
import { FallbackError } from '../errors/index.ts';
import { isRefusal } from '../export/outcome.ts';
import { abortOnSignals } from '../service/signals.ts';
import type { CommandIo } from './command-io.ts';
import { openCommandSettings } from './command-settings.ts';
import { errorJson, exitCodeOf, renderError } from './render-error.ts';
import { exportLine, outcomeJson } from './render-export.ts';
import { type SettingsFlags, withSettingsOptions } from './settings-options.ts';

interface ExportFlags extends SettingsFlags {
  readonly once?: boolean;
  readonly acceptShrinkage?: string;
}

/** A configuration that is not published, although everything works: an outcome with an exit code of its own. */
const REFUSED = 20;

export function registerExport(program: Command, io: CommandIo): void {
  withSettingsOptions(program.command('export'))
    .summary("publish the control plane's configuration to object storage (the backup node)")
    .description(
      'Connects to the control plane as a data plane that never proxies, receives its configuration, validates it, ' +
        'seals it and publishes it to every storage. Keeps doing so for every change, and confirms on schedule what is ' +
        'published, until it is stopped (SIGTERM).',
    )
    .option('--once', 'receive one configuration for each gateway version, publish it, and end')
    .option('--accept-shrinkage <reason>', 'publish although it shrank; the reason is recorded in the head')
    .action((flags: ExportFlags) => exportCommand(flags, io));
}

async function exportCommand(flags: ExportFlags, io: CommandIo): Promise<void> {
  if (flags.acceptShrinkage !== undefined && flags.once !== true) {
    throw new FallbackError(
      'invalid',
      'KF_USAGE',
      '--accept-shrinkage accepts one configuration: give --once with it',
      {
        hint: 'It may run beside a long-running exporter, which then finds the configuration published.',
      },
    );
  }
  const signal = abortOnSignals();
  const { loaded, log, redact } = await openCommandSettings('exporter', flags, io);
  const exporter = new Exporter(exporterParts(loaded, log));
  try {
    if (flags.once !== true) await exporter.run(signal);
    else report(await exporter.once({ signal, acceptReason: flags.acceptShrinkage }), flags, io, redact);
  } finally {
    await exporter.close();
  }
}

/** Every line is reported; the first failure decides the exit code. */
function report(
  results: readonly LineResult[],
  flags: ExportFlags,
  io: CommandIo,
  redact: (text: string) => string,
) {
  if (flags.json === true) {
    const lines = results.map((result) =>
      'outcome' in result ? outcomeJson(result.outcome) : { error: errorJson(result.error) },
    );
    io.stdout(`${redact(JSON.stringify({ lines }))}\n`);
  }
  for (const result of results) {
    if ('error' in result) io.stderr(redact(renderError(result.error)));
    else if (flags.json !== true) io.stdout(redact(exportLine(result.outcome)));
  }
  const failed = results.find((result) => 'error' in result);
  const refused = results.some((result) => 'outcome' in result && isRefusal(result.outcome));
  if (failed !== undefined) io.exit(exitCodeOf(failed.error));
  else if (refused) io.exit(REFUSED);
}
