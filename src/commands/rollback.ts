import { hostname, userInfo } from 'node:os';
import { type Command, Option } from 'commander';
import { commonParts } from '../composition/common-parts.ts';
import { Part } from '../composition/parts.ts';
import { type RolledBackLine, runResume, runRollback } from '../composition/rollback.ts';
import { get as getter } from '../composition/tokens.ts';
import { FallbackError } from '../errors/index.ts';
import { abortOnSignals } from '../service/signals.ts';
import type { CommandIo } from './command-io.ts';
import { openCommandSettings } from './command-settings.ts';
import { errorJson, exitCodeOf, renderError } from './render-error.ts';
import { rollbackJson, rollbackText } from './render-rollback.ts';
import { collect, type SettingsFlags, withSettingsOptions } from './settings-options.ts';

interface RollbackFlags extends SettingsFlags {
  readonly reason?: string;
  readonly gatewayVersion: readonly string[];
  readonly allVersions?: boolean;
  readonly until?: string;
  readonly by?: string;
  readonly dryRun?: boolean;
  readonly resume?: boolean;
}

const CLOSE_DEADLINE_MS = 5000;
/** With its zone: an hour's error would end a hold too early. */
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

export function registerRollback(program: Command, io: CommandIo): void {
  withSettingsOptions(program.command('rollback'))
    .summary('publish an older snapshot again, and hold back what it replaces')
    .description(
      'Makes an older snapshot the current one in every storage, with the settings, rights and signing key of the ' +
        'exporter, which may keep running. What was current until now is held back, whoever sends it again, until ' +
        '--resume, until --until, or until the control plane sends a configuration that is new.',
    )
    .argument('[snapshot]', 'its sequence, the first 8 or more digits of its hash, or "previous"')
    .option('--reason <text>', 'why; recorded in the head, and shown while it is in force')
    .addOption(
      new Option('--gateway-version <version>', 'the line; repeatable')
        .argParser(collect)
        .default([], 'the only one that the settings name'),
    )
    .option('--all-versions', 'every gateway version that the settings name')
    .option('--until <time>', 'when it ends by itself, such as 2026-11-21T18:00:00Z')
    .option('--by <name>', 'who; default: the user and the host')
    .option('--dry-run', 'say what would happen, and check that the snapshot opens')
    .option('--resume', 'end the rollback that is in force')
    .action((snapshot: string | undefined, flags: RollbackFlags) => rollbackCommand(snapshot, flags, io));
}

async function rollbackCommand(
  snapshot: string | undefined,
  flags: RollbackFlags,
  io: CommandIo,
): Promise<void> {
  const order = orderOf(snapshot, flags);
  const signal = abortOnSignals();
  const { loaded, log, redact } = await openCommandSettings('exporter', flags, io, { level: 'error' });
  const get = getter(commonParts(loaded, log));
  const gatewayVersions = versionsOf(flags);
  try {
    const lines =
      order === undefined
        ? await runResume(get, { gatewayVersions, signal })
        : await runRollback(get, order, { gatewayVersions, dryRun: flags.dryRun === true, signal });
    report(lines, flags, io, redact);
  } finally {
    await get(Part.lifecycle).close(get(Part.clock), log, CLOSE_DEADLINE_MS);
  }
}

function report(
  lines: readonly RolledBackLine[],
  flags: RollbackFlags,
  io: CommandIo,
  redact: (text: string) => string,
): void {
  const missed = incomplete(lines);
  const failed = lines.find(({ error }) => error !== undefined)?.error ?? missed;
  if (flags.json === true) {
    const error = missed === undefined ? {} : { error: errorJson(missed) };
    io.stdout(redact(`${JSON.stringify({ lines: lines.map(rollbackJson), ...error })}\n`));
  } else {
    io.stdout(redact(rollbackText(lines)));
    if (missed !== undefined) io.stderr(redact(renderError(missed)));
  }
  if (failed !== undefined) io.exit(exitCodeOf(failed));
}

/** An exporter that reaches only that store would go on as before, and its head would be the newer one. */
function incomplete(lines: readonly RolledBackLine[]): FallbackError | undefined {
  const missed = lines.flatMap(({ gatewayVersion, stores }) =>
    stores.filter(({ outcome }) => outcome !== 'written').map(({ store }) => `${store} (${gatewayVersion})`),
  );
  const targets = lines.flatMap(({ target }) => target?.document.sha256.slice(0, 12) ?? []);
  const again = targets.length === 0 ? '--resume' : targets.join(', then ');
  if (missed.length === 0) return undefined;
  return new FallbackError(
    'unavailable',
    'KF_ROLLBACK_INCOMPLETE',
    `written to some storages only; not to ${missed.join(', ')}`,
    {
      hint: `An exporter that reaches only those knows nothing of it and may undo it: run this again as soon as they are back, with ${again}.`,
    },
  );
}

/** Undefined: resume. */
function orderOf(snapshot: string | undefined, flags: RollbackFlags) {
  const { allVersions, gatewayVersion, resume } = flags;
  if (allVersions === true && gatewayVersion.length > 0)
    throw usage('--all-versions and --gateway-version exclude each other', 'Give one of them.');
  if (resume === true) {
    const given = [snapshot, flags.reason, flags.until, flags.dryRun].some((value) => value !== undefined);
    if (given)
      throw usage('--resume takes no snapshot, --reason, --until or --dry-run', 'It ends what is in force.');
    return undefined;
  }
  if (snapshot === undefined)
    throw usage('which snapshot?', 'Name one of `kongfallback history`, or previous.');
  const reason = flags.reason?.trim() ?? '';
  if (reason === '')
    throw usage('--reason is missing', 'It is shown to everybody who looks while the rollback is in force.');
  return { snapshot, reason, by: flags.by?.trim() || operator(), until: untilOf(flags.until) };
}

function untilOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  const moment = MOMENT.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(moment))
    throw usage(`--until ${text} is no time`, 'Write it with its zone: 2026-11-21T18:00:00Z.');
  return moment;
}

const versionsOf = ({ allVersions, gatewayVersion }: RollbackFlags): readonly string[] | 'all' | undefined =>
  allVersions === true ? 'all' : gatewayVersion.length === 0 ? undefined : gatewayVersion;

function operator(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    // A user id without an entry in /etc/passwd, as containers have it.
    return hostname();
  }
}

const usage = (message: string, hint: string): FallbackError =>
  new FallbackError('invalid', 'KF_USAGE', message, { hint });
