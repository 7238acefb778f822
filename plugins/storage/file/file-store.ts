import type { BigIntStats } from 'node:fs';
import { constants, type FileHandle, open } from 'node:fs/promises';
import type {
  CallOptions,
  GetOptions,
  InspectOptions,
  ObjectInfo,
  ObjectStore,
  PluginContext,
  PutOptions,
  PutResult,
  StoredObject,
  StoreInspection,
} from 'kongfallback/plugin';
import { Commit, type Condition, type Modes } from './commit.ts';
import { errnoOf, fileError, symlink } from './errors.ts';
import { inspectDirectory } from './inspect.ts';
import { findPlace, findRoot, makePlace } from './place.ts';
import { readBody } from './read-body.ts';
import { sweep } from './sweep.ts';
import { walk } from './walk.ts';

export type ReadableBy = 'owner' | 'group' | 'all';

const MODES: Readonly<Record<ReadableBy, Modes>> = {
  owner: { file: 0o600, folder: 0o700 },
  group: { file: 0o640, folder: 0o750 },
  all: { file: 0o644, folder: 0o755 },
};

export class FileStore implements ObjectStore {
  readonly #root: string;
  readonly #modes: Modes;
  readonly #context: PluginContext;
  readonly #swept = new Set<string>();

  constructor(root: string, readableBy: ReadableBy, context: PluginContext) {
    this.#root = root;
    this.#modes = MODES[readableBy];
    this.#context = context;
  }

  async get(key: string, options: GetOptions): Promise<StoredObject | 'not-modified' | undefined> {
    this.#check(options);
    const place = await findPlace(this.#context, this.#root, key);
    if (place === undefined) return undefined;
    let handle: FileHandle | undefined;
    try {
      // Not blocking: opening a named pipe would wait for a writer for ever.
      const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
      handle = await open(place.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
      const found = await handle.stat({ bigint: true });
      const etag = etagOf(found);
      if (!found.isFile() || etag === options.ifNoneMatch) {
        await handle.close();
        return found.isFile() ? 'not-modified' : undefined;
      }
      const body = readBody(this.#context, handle, place.path, options.signal);
      return { etag, modifiedAt: found.mtime, serverTime: this.#now(), body };
    } catch (error) {
      await handle?.close().catch(() => {});
      if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
      if (errnoOf(error) === 'ELOOP') throw symlink(this.#context, place.path);
      throw fileError(this.#context, error, place.path);
    }
  }

  async put(key: string, body: Uint8Array<ArrayBuffer>, options: PutOptions): Promise<PutResult> {
    this.#check(options);
    const place = await makePlace(this.#context, this.#root, key, this.#modes.folder);
    try {
      await this.#sweepOnce(place.directory);
      const commit = new Commit(this.#context, place, options.signal);
      const written = await commit.put(body, this.#modes, this.#condition(options));
      return { etag: etagOf(written), serverTime: this.#now() };
    } catch (error) {
      throw fileError(this.#context, error, place.path);
    }
  }

  async *list(prefix: string, options: CallOptions): AsyncIterable<ObjectInfo> {
    this.#check(options);
    const root = await findRoot(this.#context, this.#root);
    try {
      for await (const info of walk(root, '', prefix)) {
        this.#check(options);
        yield info;
      }
    } catch (error) {
      throw fileError(this.#context, error, root);
    }
  }

  async delete(key: string, options: CallOptions): Promise<void> {
    this.#check(options);
    const place = await findPlace(this.#context, this.#root, key);
    if (place === undefined) return;
    try {
      await new Commit(this.#context, place, options.signal).delete();
    } catch (error) {
      throw fileError(this.#context, error, place.path);
    }
  }

  async inspect(options: InspectOptions): Promise<StoreInspection> {
    return { findings: await inspectDirectory(this.#context, this.#root, options), unseen: [] };
  }

  #condition(options: PutOptions): Condition {
    return (current) => {
      const { ifAbsent, ifMatch } = options;
      if (ifAbsent === true && current !== undefined) throw this.#conflict('it exists already');
      if (ifMatch === undefined || (current !== undefined && etagOf(current) === ifMatch)) return;
      throw this.#conflict(current === undefined ? 'it does not exist' : 'it is another version');
    };
  }

  async #sweepOnce(directory: string): Promise<void> {
    if (this.#swept.has(directory)) return;
    this.#swept.add(directory);
    await sweep(directory, this.#context.clock.now());
  }

  /** A directory has no clock of its own: the machine's is the nearest to what it stamps files with. */
  #now(): Date {
    return new Date(this.#context.clock.now());
  }

  #check(options: CallOptions): void {
    if (options.signal.aborted) throw this.#context.error('aborted', 'stopped before it was done');
  }

  #conflict(why: string): Error {
    return this.#context.error('conflict', `not written: ${why}`, {
      hint: 'Another writer was faster; read the object again and decide.',
    });
  }
}

/** Not of the content, which would be read twice for it: each version is a file of its own with a later time. */
function etagOf(stats: BigIntStats): string {
  return `"${stats.mtimeNs.toString(36)}-${stats.size.toString(36)}-${stats.ino.toString(36)}"`;
}
