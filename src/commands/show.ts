import { resolve } from 'node:path';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { commonParts } from '../composition/common-parts.ts';
import { Part } from '../composition/parts.ts';
import { findListed, type ShownSnapshot } from '../composition/show.ts';
import { get as getter } from '../composition/tokens.ts';
import { FallbackError } from '../errors/index.ts';
import { writeFileAtomically } from '../restore/atomic-file.ts';
import { abortOnSignals } from '../service/signals.ts';
import type { CommandIo } from './command-io.ts';
import { openCommandSettings } from './command-settings.ts';
import { openReader } from './open-reader.ts';
import { showJson, showText } from './render-show.ts';
import { type SettingsFlags, withSettingsOptions } from './settings-options.ts';

interface ShowFlags extends SettingsFlags {
  readonly gatewayVersion?: string;
  readonly document?: boolean;
  readonly output?: string;
}

const CLOSE_DEADLINE_MS = 5000;

export function registerShow(program: Command, io: CommandIo): void {
  withSettingsOptions(program.command('show'))
    .summary('one snapshot: what is known of it, or its document')
    .description(
      'Shows what the head says of one snapshot, with the rights of a reader. With --document it restores it, verified, ' +
        'and writes the configuration to standard output or to a file that only you can read: it holds secrets, so it ' +
        'is never written to a terminal.',
    )
    .argument('<snapshot>', 'its sequence, the first 8 or more digits of its hash, "current" or "previous"')
    .option('--gateway-version <version>', 'the line; default: the only one that the settings name')
    .option('--document', 'the configuration itself; needs a key that opens it')
    .option('--output <file>', 'where the document goes; it is there whole or not at all')
    .action((snapshot: string, flags: ShowFlags) => showCommand(snapshot, flags, io));
}

async function showCommand(snapshot: string, flags: ShowFlags, io: CommandIo): Promise<void> {
  const output = io.output ?? process.stdout;
  const wantsDocument = flags.document === true || flags.output !== undefined;
  if (wantsDocument && flags.json === true)
    throw usage('--json and --document exclude each other', 'The document is JSON already.');
  if (wantsDocument && flags.output === undefined && output.isTTY === true)
    throw usage('the document holds secrets and is not written to a terminal', 'Give --output, or a pipe.');
  const signal = abortOnSignals();
  const { loaded, log, redact } = wantsDocument
    ? await openReader(flags, io, 'error')
    : await openCommandSettings('reader', flags, io, { level: 'error' });
  const get = getter(commonParts(loaded, log));
  try {
    const shown = await findListed(get, snapshot, flags.gatewayVersion, signal);
    if (!wantsDocument)
      io.stdout(redact(flags.json === true ? `${JSON.stringify(showJson(shown))}\n` : showText(shown)));
    else if (flags.output === undefined) await toStream(shown, output, signal);
    else {
      const path = resolve(io.cwd, flags.output);
      await toFile(shown, path, signal);
      const { sequence, document } = shown.entry;
      io.stderr(redact(`${path}: sequence ${sequence}, ${document.length} bytes, verified\n`));
    }
  } finally {
    await get(Part.lifecycle).close(get(Part.clock), log, CLOSE_DEADLINE_MS);
  }
}

async function toFile(shown: ShownSnapshot, path: string, signal: AbortSignal): Promise<void> {
  try {
    await writeFileAtomically(path, shown.open(signal));
  } catch (thrown) {
    throw isSystemError(thrown) ? unwritable(path, thrown) : thrown;
  }
}

async function toStream(
  shown: ShownSnapshot,
  output: NonNullable<CommandIo['output']>,
  signal: AbortSignal,
): Promise<void> {
  const sink = new Writable({
    write: (piece: Uint8Array, _encoding, done) => void output.write(piece, done),
  });
  try {
    await pipeline(shown.open(signal), sink);
  } catch (thrown) {
    throw isSystemError(thrown) ? unwritable('standard output', thrown) : thrown;
  }
}

const isSystemError = (thrown: unknown): boolean =>
  typeof (thrown as NodeJS.ErrnoException | null)?.syscall === 'string';

const unwritable = (where: string, cause: unknown): FallbackError =>
  new FallbackError(
    'invalid',
    'KF_SHOW_UNWRITABLE',
    `cannot write the document to ${where}: ${cause instanceof Error ? cause.message : String(cause)}`,
    { cause, hint: 'Name a file in a folder that exists, may be written, and has room.' },
  );

const usage = (message: string, hint: string): FallbackError =>
  new FallbackError('invalid', 'KF_USAGE', message, { hint });
