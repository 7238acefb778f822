import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  AppliedDocument,
  CallOptions,
  PluginContext,
  RestoredDocument,
  Target,
} from 'kongfallback/plugin';
import { type Ending, runCommand } from './run-command.ts';

const PLACEHOLDER = '{file}';

export class CommandTarget implements Target {
  readonly #command: readonly string[];
  readonly #timeoutMs: number;
  readonly #context: PluginContext;

  constructor(command: readonly string[], timeoutMs: number, context: PluginContext) {
    this.#command = command;
    this.#timeoutMs = timeoutMs;
    this.#context = context;
  }

  /** The command is started once the document is there whole: a stream that breaks has started nothing. */
  async apply(document: RestoredDocument, { signal }: CallOptions): Promise<AppliedDocument> {
    const [program = ''] = this.#command;
    const folder = await mkdtemp(join(tmpdir(), 'kongfallback-target-')).catch((error: unknown) => {
      throw this.#noRoom(error);
    });
    let file: FileHandle | undefined;
    try {
      // The ending tells Kong and others that it is JSON.
      const path = join(folder, 'kong.json');
      file = await this.#written(path, document, signal);
      const ending = await runCommand({
        command: this.#command.map((argument) => argument.replaceAll(PLACEHOLDER, path)),
        cwd: this.#context.baseDirectory,
        stdin: this.#command.some((argument) => argument.includes(PLACEHOLDER)) ? 'ignore' : file.fd,
        timeoutMs: this.#timeoutMs,
        clock: this.#context.clock,
        signal,
      });
      signal.throwIfAborted();
      if (ending.how !== 'exited' || ending.code !== 0) throw this.#failed(program, ending);
      return { where: program };
    } finally {
      await file?.close();
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** Readable by this user only, and read from its beginning. */
  async #written(path: string, { body }: RestoredDocument, signal: AbortSignal): Promise<FileHandle> {
    const file = await open(path, 'wx', 0o600);
    try {
      for await (const piece of body) {
        signal.throwIfAborted();
        await file.writeFile(piece);
      }
    } catch (error) {
      throw typeof (error as NodeJS.ErrnoException).syscall === 'string' ? this.#noRoom(error) : error;
    } finally {
      await file.close();
    }
    return open(path, 'r');
  }

  #noRoom(cause: unknown): Error {
    return this.#context.error(
      'unavailable',
      `cannot keep the document in ${tmpdir()}: ${(cause as Error).message}`,
      { cause, hint: 'Make room there, or set TMPDIR to a folder that is private and large enough.' },
    );
  }

  #failed(program: string, ending: Ending): Error {
    const said = ending.stderr === '' ? '' : `: ${ending.stderr}`;
    switch (ending.how) {
      case 'not-started':
        return this.#context.error('invalid', `${program} cannot be started: ${ending.reason}`, {
          hint: 'Name a program that is there and executable; relative paths begin at the settings file.',
        });
      case 'timed-out':
        return this.#context.error('unavailable', `${program} was killed after ${ending.afterMs} ms${said}`, {
          hint: 'Raise timeoutSeconds, or look at what it waits for.',
        });
      case 'exited':
        return this.#context.error(
          'unavailable',
          `${program} ended with ${ending.code ?? ending.signal}${said}`,
          {
            hint: 'Run it by hand with the same document; exit code 0 says that the node uses it.',
          },
        );
    }
  }
}
