import type { Command } from 'commander';
import { commonParts } from '../composition/common-parts.ts';
import { Part } from '../composition/parts.ts';
import { get as getter } from '../composition/tokens.ts';
import { type ReadTrust, readTrust } from '../composition/trust.ts';
import { FallbackError } from '../errors/index.ts';
import { abortOnSignals } from '../service/signals.ts';
import type { CommandIo } from './command-io.ts';
import { openCommandSettings } from './command-settings.ts';
import { HEALTH_EXIT_CODE } from './health-exit-code.ts';
import { trustJson, trustText } from './render-trust.ts';
import { type SettingsFlags, withSettingsOptions } from './settings-options.ts';

interface TrustFlags extends SettingsFlags {
  readonly gatewayVersion?: string;
  readonly resetSequence?: boolean;
  readonly yes?: boolean;
}

const CLOSE_DEADLINE_MS = 5000;

export function registerTrust(program: Command, io: CommandIo): void {
  withSettingsOptions(program.command('trust'))
    .summary('what this node has seen, and whether it takes what the storages hold')
    .description(
      'A node remembers the highest sequence that it has verified and refuses an older head, which would be an attack or a ' +
        'storage that was set back. Shows both. Exit code 0: what is stored is taken; 21: not from every storage; 22: ' +
        'from none.',
    )
    .option('--gateway-version <version>', 'one line; default: all that the settings name')
    .option('--reset-sequence', 'take what the storages hold now, after they were set back on purpose')
    .option('--yes', 'with --reset-sequence: yes, what is stored now may be older than what was seen')
    .action((flags: TrustFlags) => trustCommand(flags, io));
}

async function trustCommand(flags: TrustFlags, io: CommandIo): Promise<void> {
  const reset = flags.resetSequence === true;
  if (reset && flags.yes !== true) throw notConfirmed();
  const signal = abortOnSignals();
  const { loaded, log, redact } = await openCommandSettings('reader', flags, io, { level: 'error' });
  const get = getter(commonParts(loaded, log));
  try {
    const lines = await readTrust(get, { gatewayVersion: flags.gatewayVersion, reset, signal });
    io.stdout(
      redact(flags.json === true ? `${JSON.stringify({ lines: lines.map(trustJson) })}\n` : trustText(lines)),
    );
    io.exit(exitCode(lines));
  } finally {
    await get(Part.lifecycle).close(get(Part.clock), log, CLOSE_DEADLINE_MS);
  }
}

function exitCode(lines: readonly ReadTrust[]): number {
  if (lines.every(({ resetTo }) => resetTo !== undefined)) return 0;
  const verdicts = lines.filter(({ resetTo }) => resetTo === undefined).map(({ verdict }) => verdict);
  if (verdicts.some((verdict) => verdict === 'refused' || verdict === 'unknown'))
    return HEALTH_EXIT_CODE.failed;
  return verdicts.includes('behind') ? HEALTH_EXIT_CODE.degraded : HEALTH_EXIT_CODE.ok;
}

const notConfirmed = (): FallbackError =>
  new FallbackError(
    'invalid',
    'KF_TRUST_NOT_CONFIRMED',
    '--reset-sequence gives up what protects this node from an older configuration that somebody put back: give --yes too',
    {
      hint: 'Only after the storages were restored or emptied on purpose. From then on what they hold now is the oldest that is taken; bootstrap.minimumSequence does the same for new nodes.',
    },
  );
