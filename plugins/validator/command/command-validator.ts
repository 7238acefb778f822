import { tmpdir } from 'node:os';
import type {
  CallOptions,
  ConfigDocument,
  Finding,
  PluginContext,
  ValidationContext,
  Validator,
} from 'kongfallback/plugin';
import { PrivateFile } from './private-file.ts';
import { type Ending, runCommand } from './run-command.ts';
import type { CommandSettings } from './settings.ts';
import { shownOutput } from './shown-output.ts';

const PLACEHOLDER = '{file}';

/** A program that cannot give a verdict is no acceptance: it throws, and then nothing is published. */
export class CommandValidator implements Validator {
  readonly #settings: CommandSettings;
  readonly #plugin: PluginContext;

  constructor(settings: CommandSettings, plugin: PluginContext) {
    this.#settings = settings;
    this.#plugin = plugin;
  }

  async validate(
    { bytes }: ConfigDocument,
    _context: ValidationContext,
    { signal }: CallOptions,
  ): Promise<readonly Finding[]> {
    this.#throwIfAborted(signal);
    const file = await PrivateFile.create(bytes).catch((cause: unknown) => {
      throw this.#noRoom(cause);
    });
    try {
      const ending = await this.#run(file, signal);
      this.#throwIfAborted(signal);
      return this.#judged(ending);
    } finally {
      await file.remove();
    }
  }

  async #run(file: PrivateFile, signal: AbortSignal): Promise<Ending> {
    const { command, timeoutSeconds } = this.#settings;
    const asFile = command.some((argument) => argument.includes(PLACEHOLDER));
    const input = asFile ? undefined : await file.open();
    try {
      return await runCommand({
        command: command.map((argument) => argument.replaceAll(PLACEHOLDER, () => file.path)),
        cwd: this.#plugin.baseDirectory,
        stdin: input?.fd ?? 'ignore',
        timeoutMs: timeoutSeconds * 1000,
        clock: this.#plugin.clock,
        signal,
        onStart: (group) => file.isReadBy(group),
      });
    } finally {
      await input?.close();
    }
  }

  #judged(ending: Ending): readonly Finding[] {
    const { command, outputCharacters, timeoutSeconds } = this.#settings;
    const [program = ''] = command;
    const output = shownOutput(ending.output, outputCharacters);
    const said = output === '' ? '' : `: ${output}`;
    switch (ending.how) {
      case 'not-started':
        throw this.#plugin.error('invalid', `${program} cannot be started: ${ending.reason}`, {
          hint: 'Name a program that is there and executable; relative paths begin at the settings file. Nothing is published until it runs.',
        });
      case 'timed-out':
        throw this.#plugin.error('unavailable', `${program} was killed after ${timeoutSeconds} s${said}`, {
          hint: 'Raise timeoutSeconds, or look at what it waits for. Nothing is published until it answers.',
        });
      case 'exited':
        if (ending.code === 0) return [];
        if (ending.code === null) {
          throw this.#plugin.error('unavailable', `${program} was ended by ${ending.signal}${said}`, {
            hint: 'Out of memory? Run it by hand with the same document. Nothing is published until it answers.',
          });
        }
        return [
          {
            code: 'command/refused',
            severity: 'error',
            message: `${program} ended with ${ending.code}${said}`,
            hint: 'Run it by hand with the same document; exit code 0 accepts it.',
          },
        ];
    }
  }

  #throwIfAborted(signal: AbortSignal): void {
    if (signal.aborted) throw this.#plugin.error('aborted', 'stopped before the program had answered');
  }

  #noRoom(cause: unknown): Error {
    const message = `cannot keep the document in ${tmpdir()}: ${(cause as Error).message}`;
    const hint = 'Make room there, or set TMPDIR to a folder that is private and large enough.';
    return this.#plugin.error('unavailable', message, { cause, hint });
  }
}
