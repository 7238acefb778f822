import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import type {
  ErrorKind,
  OpenSessionOptions,
  PluginContext,
  ReceivedConfiguration,
  Source,
  SourceSession,
} from 'kongfallback/plugin';

/** Does not wait for somebody to write into what turns out to be a named pipe. */
const READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** Kinds and advice for the errors that a path can give. */
const CASES: Readonly<Record<string, readonly [ErrorKind, string]>> = {
  ENOENT: ['invalid', 'Check `path` of source file; it is relative to the settings file.'],
  ENOTDIR: ['invalid', 'Check `path` of source file: a part of it is a file.'],
  'not a file': ['invalid', 'Set `path` of source file to the file itself, not to a directory or device.'],
  ELOOP: ['invalid', 'Check `path` of source file: its symbolic links lead in a circle.'],
  EACCES: ['denied', 'Let the user of this process read the file and enter its directories.'],
  EPERM: ['denied', 'Let the user of this process read the file.'],
};
const OTHERWISE = ['unavailable', 'It is tried again by itself; check the disk or mount.'] as const;

/** A look costs one stat; somebody who writes the file waits no longer than a data plane does for a change. */
const LOOK_EVERY_MS = 2000;

interface Version {
  readonly stamp: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export class FileSource implements Source {
  readonly #path: string;
  readonly #maxBytes: number;
  readonly #context: PluginContext;

  constructor(path: string, maxBytes: number, context: PluginContext) {
    this.#path = path;
    this.#maxBytes = maxBytes;
    this.#context = context;
  }

  async open({ signal }: OpenSessionOptions): Promise<SourceSession> {
    const first = await this.#read(signal);
    const over = new AbortController();
    const close = () => over.abort();
    signal.addEventListener('abort', close, { once: true });
    return {
      configurations: this.#follow(first, over.signal),
      close: async () => {
        signal.removeEventListener('abort', close);
        close();
      },
    };
  }

  /** The file as it is, and each time that it is another one, until the session is closed. */
  async *#follow(first: Version, over: AbortSignal): AsyncGenerator<ReceivedConfiguration> {
    const { clock } = this.#context;
    let current = first;
    for (let ordinal = 1; !over.aborted; ordinal++) {
      yield {
        form: 'document',
        bytes: current.bytes,
        ordinal,
        receivedAt: clock.monotonic(),
        peerTime: undefined,
        fromControlPlane: false,
      };
      const { stamp } = current;
      do await clock.sleep(LOOK_EVERY_MS, over).catch(() => {});
      while (!over.aborted && (await this.#stamp(over)) === stamp);
      if (!over.aborted) current = await this.#read(over);
    }
  }

  async #stamp(signal: AbortSignal): Promise<string> {
    try {
      return stampOf(await stat(this.#path, { bigint: true }));
    } catch (error) {
      throw this.#classified(error, signal);
    }
  }

  async #read(signal: AbortSignal): Promise<Version> {
    let file: FileHandle | undefined;
    try {
      file = await open(this.#path, READ);
      const stamp = stampOf(await file.stat({ bigint: true }));
      const { size } = await this.#checked(file);
      return { stamp, bytes: await this.#readWhole(file, size, signal) };
    } catch (error) {
      throw this.#classified(error, signal);
    } finally {
      await file?.close();
    }
  }

  async #checked(file: FileHandle): Promise<{ size: number }> {
    const stats = await file.stat();
    if (!stats.isFile()) throw Object.assign(new Error(), { code: 'not a file' });
    if (stats.size > this.#maxBytes) throw this.#tooLarge(stats.size);
    return stats;
  }

  /** Asks for one byte more than there were: a file that is being written must not pass as a whole one. */
  async #readWhole(file: FileHandle, size: number, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const buffer = new Uint8Array(size);
    let length = 0;
    while (length < size) {
      signal.throwIfAborted();
      const { bytesRead } = await file.read(buffer, length, size - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    const { bytesRead: more } = await file.read(new Uint8Array(1), 0, 1, size);
    if (length !== size || more !== 0) {
      throw this.#context.error('unavailable', `source file: ${this.#path} changed while it was read`, {
        hint: 'Write it beside its place and rename it; it is tried again by itself.',
      });
    }
    // A buffer of its own: the document worker takes it over without a copy.
    return buffer;
  }

  #tooLarge(size: number): Error {
    const message = `source file: ${this.#path} has ${size} bytes, maxBytes is ${this.#maxBytes}`;
    return this.#context.error('unsupported', message, { hint: 'Raise maxBytes of source file.' });
  }

  #classified(error: unknown, signal: AbortSignal): unknown {
    if ((error as { kind?: unknown }).kind !== undefined) return error;
    if (signal.aborted) return this.#context.error('aborted', 'source file: stopped', { cause: error });
    const { code, message } = error as { code?: string; message?: string };
    const [kind, hint] = CASES[code ?? ''] ?? OTHERWISE;
    return this.#context.error(kind, `source file: ${this.#path}: ${code ?? message}`, {
      cause: error,
      hint,
    });
  }
}

/** Another file in its place, or the same one written anew. */
const stampOf = ({ ino, mtimeNs, size }: BigIntStats): string => `${ino} ${mtimeNs} ${size}`;
