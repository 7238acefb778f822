// What a node keeps of the last restore (FORMAT.md §8), so that it starts again without storage.
import { lstat, mkdtemp, readdir, rm, stat, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { FallbackError } from '../errors/index.ts';
import type { Clock, Finding } from '../plugin/index.ts';
import type { Line, SnapshotEntry } from '../snapshot/head.ts';
import { LIMITS } from '../snapshot/limits.ts';
import { checkLine } from '../snapshot/object-keys.ts';
import { TEMPORARY_SUFFIX, writeFileAtomically } from './atomic-file.ts';
import { makeDirectory } from './make-directory.ts';
import { readPieces } from './read-pieces.ts';
import { readSmall } from './read-small.ts';
import { checkedSealed } from './sealed-check.ts';

const DIRECTORY_MODE = 0o700;
const MAX_RATCHET_BYTES = 1024;
/** A temporary file of this age is left over from a crash; a younger one may be another process's. */
const ABANDONED_MS = 3_600_000;

/**
 * One line's folder. It must never stop a bootstrap: where it cannot be written, sealed bytes go to a private
 * folder under the system's temporary one, and a finding says so.
 */
export class SnapshotCache {
  readonly directory: string;
  readonly findings: Finding[] = [];
  readonly #root: string;
  readonly #clock: Clock;
  readonly #temporaryRoot: string;
  #usable = false;
  #temporary: string | undefined;

  /** @throws FallbackError `invalid` KF_LINE_INVALID */
  constructor(cacheDirectory: string, line: Line, clock: Clock, temporaryRoot: string = tmpdir()) {
    checkLine(line);
    this.#root = cacheDirectory;
    this.directory = join(cacheDirectory, line.cluster, line.gatewayVersion);
    this.#clock = clock;
    this.#temporaryRoot = temporaryRoot;
  }

  async prepare(): Promise<void> {
    try {
      // The root may also hold the document that a data plane of another user reads; what is below is ours alone.
      await makeDirectory(this.#root);
      await makeDirectory(this.directory, DIRECTORY_MODE);
      if (!(await lstat(this.directory)).isDirectory()) throw new Error('it is not a directory');
      this.#usable = true;
    } catch (error) {
      this.giveUp(error);
    }
  }

  /**
   * From now on only the temporary folder is written.
   *
   * @returns false when that was so already
   */
  giveUp(error: unknown): boolean {
    const first = this.#usable || this.findings.every(({ code }) => code !== 'cache/unusable');
    this.#usable = false;
    if (first) this.#note('cache/unusable', `cannot write ${this.directory}: ${reason(error)}`);
    return first;
  }

  /** The head that the cached snapshot was restored under, not verified. */
  async readHead(): Promise<Uint8Array | undefined> {
    return this.#read('head.json', LIMITS.headEnvelopeBytes);
  }

  /** The highest sequence that this node has verified; undefined: none, or it cannot be read. */
  async readRatchet(): Promise<number | undefined> {
    const bytes = await this.#read('ratchet.json', MAX_RATCHET_BYTES);
    if (bytes === undefined) return undefined;
    const sequence = sequenceIn(bytes);
    if (sequence === undefined)
      this.#note('cache/ratchet-unreadable', `${this.directory}/ratchet.json is damaged`);
    return sequence;
  }

  /** Never lowers it, never throws. */
  async raiseRatchet(sequence: number): Promise<void> {
    if (!this.#usable || ((await this.readRatchet()) ?? 0) >= sequence) return;
    await this.#attempt(() => this.#write('ratchet.json', Buffer.from(JSON.stringify({ sequence }))));
  }

  /** Path of this entry's sealed bytes, checked against the head; undefined where they are not held whole. */
  async find(entry: SnapshotEntry): Promise<string | undefined> {
    for (const folder of this.#folders()) {
      const path = join(folder, basename(entry.key));
      try {
        if ((await stat(path)).size !== entry.sealed.length) continue;
        for await (const _ of checkedSealed(readPieces(path), entry.sealed));
        return path;
      } catch {
        // Missing, unreadable or damaged: it is fetched again.
      }
    }
    return undefined;
  }

  /**
   * Keeps sealed bytes once they proved to be those of the entry.
   *
   * @throws FallbackError `unavailable` KF_CACHE_UNWRITABLE; what the body throws
   */
  async keep(entry: SnapshotEntry, body: AsyncIterable<Uint8Array>): Promise<string> {
    const path = join(await this.#writable(), basename(entry.key));
    try {
      await writeFileAtomically(path, checkedSealed(body, entry.sealed));
      return path;
    } catch (error) {
      throw isSystemError(error) ? unwritable(path, error) : error;
    }
  }

  /** Makes this the snapshot to start from without storage, and removes the others. Never throws. */
  async remember(head: Uint8Array, entry: SnapshotEntry): Promise<void> {
    if (!this.#usable) return;
    await this.#attempt(async () => {
      await this.#write('head.json', head);
      await this.#prune(basename(entry.key));
    });
  }

  /** Removes the temporary folder, if one was needed. */
  async close(): Promise<void> {
    const temporary = this.#temporary;
    this.#temporary = undefined;
    if (temporary !== undefined) await rm(temporary, { recursive: true, force: true });
  }

  async #writable(): Promise<string> {
    if (this.#usable) return this.directory;
    const template = join(this.#temporaryRoot, 'kongfallback-');
    try {
      this.#temporary ??= await mkdtemp(template);
      return this.#temporary;
    } catch (error) {
      throw unwritable(template, error);
    }
  }

  #folders(): readonly string[] {
    return this.#temporary === undefined ? [this.directory] : [this.directory, this.#temporary];
  }

  async #prune(kept: string): Promise<void> {
    for (const name of await readdir(this.directory)) {
      const path = join(this.directory, name);
      const abandoned = name.endsWith(TEMPORARY_SUFFIX) && (await this.#isAbandoned(path));
      if (abandoned || (name.endsWith('.kfs') && name !== kept)) await unlink(path);
    }
  }

  async #isAbandoned(path: string): Promise<boolean> {
    const found = await stat(path).catch(() => undefined);
    return found !== undefined && this.#clock.now() - found.mtimeMs > ABANDONED_MS;
  }

  #write(name: string, bytes: Uint8Array): Promise<void> {
    return writeFileAtomically(join(this.directory, name), [bytes]);
  }

  async #read(name: string, maxBytes: number): Promise<Uint8Array | undefined> {
    const path = join(this.directory, name);
    try {
      return await readSmall(path, maxBytes);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'ENOTDIR')
        this.#note('cache/unreadable', `cannot read ${path}: ${reason(error)}`);
      return undefined;
    }
  }

  async #attempt(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      this.giveUp(error);
    }
  }

  #note(code: string, message: string): void {
    if (this.findings.some((finding) => finding.code === code)) return;
    this.findings.push({
      code,
      severity: 'warning',
      message,
      hint: 'The next start may need the storage again. Check that the folder is writable and has room.',
    });
  }
}

function sequenceIn(bytes: Uint8Array): number | undefined {
  try {
    const { sequence } = JSON.parse(Buffer.from(bytes).toString('utf8')) as { sequence?: unknown };
    return Number.isSafeInteger(sequence) && (sequence as number) > 0 ? (sequence as number) : undefined;
  } catch {
    return undefined;
  }
}

const isSystemError = (error: unknown): boolean =>
  error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string';

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function unwritable(path: string, cause: unknown): FallbackError {
  return new FallbackError(
    'unavailable',
    'KF_CACHE_UNWRITABLE',
    `cannot keep sealed bytes at ${path}: ${reason(cause)}`,
    {
      cause,
      hint: 'Give `cacheDirectory` (of `bootstrap`, or of `relay`) a writable folder with room for one sealed snapshot.',
    },
  );
}
