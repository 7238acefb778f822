import { createHash, randomBytes } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { lstat, mkdir, readdir, rename, rm, rmdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { PluginContext } from 'kongfallback/plugin';
import { syncDirectory, writeNewFile } from './durable.ts';
import { errnoOf, symlink } from './errors.ts';
import { INTERNAL, type Place } from './place.ts';

// How a change is made, and why it is safe against any number of processes, however long one of them is stopped.
//
// 1. The new content is written and fsynced into a folder of its own, under a name nobody else knows (token).
// 2. That folder is renamed to the key's lock, which fails while the lock is a folder with something in it.
// 3. The condition is checked.
// 4. The content is renamed from inside the lock to the key: this is the change, and it empties the lock.
//
// Step 4 works only while the lock is still ours, because its path leads through the lock and ends in our token.
// So a lock may be taken from its holder at any moment (by renaming it away) without harm: whoever lost it finds
// out in the very system call that would have changed something. No clock decides about safety; the five seconds
// below decide only how long a crashed writer holds up the others. Needed of the file system: rename(2) is
// atomic, as on any local one and within one NFS server.

/** A holder needs milliseconds; waiters take the lock of one that stood unchanged for this long. */
const STALE_MS = 5_000;
/** Pause between looks at a lock that another holds. */
const POLL_MS = 10;

export interface Modes {
  readonly file: number;
  readonly folder: number;
}

/** Decides on the current version, or undefined when there is none; throws when the change must not be made. */
export type Condition = (current: BigIntStats | undefined) => void;

export class Commit {
  readonly #context: PluginContext;
  readonly #place: Place;
  readonly #signal: AbortSignal;
  readonly #token = randomBytes(12).toString('hex');
  readonly #stage: string;
  readonly #lock: string;

  constructor(context: PluginContext, place: Place, signal: AbortSignal) {
    this.#context = context;
    this.#place = place;
    this.#signal = signal;
    const name = createHash('sha256').update(place.name).digest('hex').slice(0, 16);
    this.#stage = join(place.directory, `${INTERNAL}stage-${this.#token}`);
    this.#lock = join(place.directory, `${INTERNAL}lock-${name}`);
  }

  /** The new version's stat. */
  async put(body: Uint8Array, modes: Modes, condition: Condition): Promise<BigIntStats> {
    const { directory, path } = this.#place;
    condition(await this.current());
    try {
      await mkdir(this.#stage, { mode: modes.folder });
      await writeNewFile(join(this.#stage, this.#token), body, modes.file, this.#signal);
      await this.#acquire(condition);
      const current = await this.current();
      condition(current);
      const staged = await this.#newer(current);
      await rename(this.#mine, path).catch(async (error: unknown) => {
        // A network file system may report a repeated request: then it is there.
        if (errnoOf(error) === 'ENOENT' && (await this.current())?.ino === staged.ino) return;
        throw this.#lost(error);
      });
      await syncDirectory(directory);
      return staged;
    } finally {
      await this.#release();
    }
  }

  async delete(): Promise<void> {
    const { directory, path } = this.#place;
    if ((await this.current()) === undefined) return;
    try {
      await mkdir(join(this.#stage, this.#token), { recursive: true, mode: 0o700 });
      await this.#acquire(() => {});
      await rename(path, join(this.#mine, 'gone')).catch(async (error: unknown) => {
        if ((await this.current()) === undefined) return;
        throw this.#lost(error);
      });
      await syncDirectory(directory);
    } finally {
      await this.#release();
    }
  }

  async current(): Promise<BigIntStats | undefined> {
    try {
      const found = await lstat(this.#place.path, { bigint: true });
      if (found.isSymbolicLink()) throw symlink(this.#context, this.#place.path);
      return found.isFile() ? found : undefined;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
      throw error;
    }
  }

  get #mine(): string {
    return join(this.#lock, this.#token);
  }

  async #acquire(condition: Condition): Promise<void> {
    let holder: string | undefined;
    let sinceMs = 0;
    for (;;) {
      if (this.#signal.aborted) throw this.#context.error('aborted', 'stopped before it was done');
      try {
        await rename(this.#stage, this.#lock);
        return;
      } catch (error) {
        if (errnoOf(error) !== 'ENOTEMPTY' && errnoOf(error) !== 'EEXIST') throw error;
      }
      const seen = await this.#holder();
      const nowMs = this.#context.clock.monotonic();
      if (seen !== holder) sinceMs = nowMs;
      holder = seen;
      if (seen !== undefined && nowMs - sinceMs > STALE_MS) await this.#breakLock();
      else await this.#context.clock.sleep(POLL_MS, this.#signal);
      // Most waiters have lost by now and need not wait for their turn to learn it.
      condition(await this.current());
    }
  }

  async #holder(): Promise<string | undefined> {
    try {
      return (await readdir(this.#lock))[0];
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  async #breakLock(): Promise<void> {
    const broken = join(this.#place.directory, `${INTERNAL}broken-${randomBytes(12).toString('hex')}`);
    try {
      await rename(this.#lock, broken);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return;
      throw error;
    }
    await rm(broken, { recursive: true, force: true });
  }

  /** Versions of one key have growing modification times, so that an ETag made of them never comes again. */
  async #newer(current: BigIntStats | undefined): Promise<BigIntStats> {
    const staged = await this.#stat();
    if (current === undefined || staged.mtimeNs > current.mtimeNs) return staged;
    const next = new Date(Number(current.mtimeNs / 1_000_000n) + 2);
    await utimes(this.#mine, next, next).catch((error: unknown) => {
      throw this.#lost(error);
    });
    return this.#stat();
  }

  async #stat(): Promise<BigIntStats> {
    try {
      return await lstat(this.#mine, { bigint: true });
    } catch (error) {
      throw this.#lost(error);
    }
  }

  #lost(error: unknown): unknown {
    if (errnoOf(error) !== 'ENOENT') return error;
    return this.#context.error('unavailable', 'another writer took over, nothing was changed', {
      cause: error,
      hint: `This write stood still for more than ${STALE_MS / 1000} s; it is safe to try again.`,
    });
  }

  /** Every path below goes through our token, but for the lock itself, which is removed only when empty. */
  async #release(): Promise<void> {
    await rm(this.#stage, { recursive: true, force: true }).catch(() => {});
    await rm(this.#mine, { recursive: true, force: true }).catch(() => {});
    await rmdir(this.#lock).catch(() => {});
  }
}
