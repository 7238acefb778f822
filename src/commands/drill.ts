import type { Command } from 'commander';
import { commonParts } from '../composition/common-parts.ts';
import { runDrill } from '../composition/drill.ts';
import { Part } from '../composition/parts.ts';
import { get as getter } from '../composition/tokens.ts';
import { healthOf } from '../observe/metrics-state.ts';
import { abortOnSignals } from '../service/signals.ts';
import { drillFindings } from '../status/drill-findings.ts';
import type { CommandIo } from './command-io.ts';
import { HEALTH_EXIT_CODE } from './health-exit-code.ts';
import { openReader } from './open-reader.ts';
import { drillJson, drillText } from './render-drill.ts';
import { type SettingsFlags, withSettingsOptions } from './settings-options.ts';

const CLOSE_DEADLINE_MS = 5000;

export function registerDrill(program: Command, io: CommandIo): void {
  withSettingsOptions(program.command('drill'))
    .summary('prove that a new data plane would get its configuration: restore, and throw away')
    .description(
      'Restores every gateway version from each storage by itself, and on a node from its cache, into a scratch file ' +
        'that has no name, and measures it. Nothing is applied and nothing is kept. Exit code 0: every one gave the ' +
        'current configuration; 21: some did not; 22: none did, for some gateway version.',
    )
    .action((flags: SettingsFlags) => drillCommand(flags, io));
}

async function drillCommand(flags: SettingsFlags, io: CommandIo): Promise<void> {
  const signal = abortOnSignals();
  const { loaded, log, redact } = await openReader(flags, io, 'error');
  const get = getter(commonParts(loaded, log));
  try {
    const results = await runDrill(get, signal);
    const findings = drillFindings(results);
    const status = healthOf(findings);
    const text =
      flags.json === true
        ? `${JSON.stringify({ status, drills: results.map(drillJson), findings })}\n`
        : drillText(status, results, findings);
    io.stdout(redact(text));
    io.exit(HEALTH_EXIT_CODE[status]);
  } finally {
    await get(Part.lifecycle).close(get(Part.clock), log, CLOSE_DEADLINE_MS);
  }
}
