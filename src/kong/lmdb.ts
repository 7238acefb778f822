// Read-only look-up of single keys in Kong's LMDB data file (LMDB 0.9, data version 1, 64 bit, little endian).
// Offsets are those of lmdb.h and mdb.c: MDB_page, MDB_meta, MDB_db, MDB_node.
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { FallbackError } from '../errors/index.ts';
import { LmdbPage } from './lmdb-page.ts';

const PAGE_HEADER = 16;
const META_LENGTH = 136;
const MAGIC = 0xbeefc0de;
const DATA_VERSION = 1;
const DB_LENGTH = 48;
/** MAX_PAGESIZE of mdb.c; the smallest is that of old disks' sectors. */
const PAGE_SIZES = { least: 512, most: 0x8000 };
/** CURSOR_STACK of mdb.c: LMDB itself cannot follow a deeper tree. */
const DEEPEST = 32;
const EMPTY_ROOT = 0xffff_ffff_ffff_ffffn;
/** What is looked up here has 32 bytes at most; a value that claims more is not what it is taken for. */
const LARGEST_VALUE = 4096;

interface Tree {
  readonly depth: number;
  /** undefined: the tree is empty. */
  readonly root: number | undefined;
}

interface Meta {
  readonly pageSize: number;
  readonly main: Tree;
  readonly lastPage: number;
  readonly transaction: bigint;
}

/** One data.mdb, opened for reading. Follows the newest transaction; every step is bounded by the tree's depth. */
export class Lmdb {
  readonly #file: FileHandle;
  readonly #path: string;

  private constructor(file: FileHandle, path: string) {
    this.#file = file;
    this.#path = path;
  }

  /**
   * @returns undefined where there is no such file
   * @throws FallbackError `corrupt` KF_LMDB_UNEXPECTED when it cannot be opened
   */
  static async open(path: string): Promise<Lmdb | undefined> {
    try {
      // Without O_NONBLOCK a named pipe in its place would keep this waiting for a writer.
      return new Lmdb(await open(path, constants.O_RDONLY | constants.O_NONBLOCK), path);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
      throw unexpected(path, `it cannot be opened: ${message}`, error);
    }
  }

  /**
   * Values by key, in one consistent state; a key without a value is left out.
   *
   * @param lookups each a key, and the named database that it is in, if it is in one
   * @throws FallbackError `corrupt` KF_LMDB_UNEXPECTED for anything that is not as LMDB writes it
   */
  async read<Name extends string>(
    lookups: Readonly<Record<Name, { readonly key: string; readonly database?: string }>>,
  ): Promise<Readonly<Partial<Record<Name, Buffer>>>> {
    const meta = await this.#meta();
    const found: Partial<Record<Name, Buffer>> = {};
    for (const name of Object.keys(lookups) as Name[]) {
      const { key, database } = lookups[name];
      const tree = database === undefined ? meta.main : await this.#named(meta, database);
      const value = tree && (await this.#find(meta, tree, key))?.value;
      if (value !== undefined) found[name] = value;
    }
    // Pages of old transactions are written again: what was read is only sure if nobody wrote meanwhile.
    if ((await this.#meta()).transaction !== meta.transaction)
      throw this.unexpected('it is being written to');
    return found;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  /** The one of the two meta pages that the newer transaction wrote. */
  async #meta(): Promise<Meta> {
    const first = this.#parseMeta(await this.#bytes(0, PAGE_HEADER + META_LENGTH));
    const second = this.#parseMeta(await this.#bytes(first.pageSize, PAGE_HEADER + META_LENGTH));
    if (first.pageSize !== second.pageSize) throw this.unexpected('its two meta pages disagree');
    return second.transaction > first.transaction ? second : first;
  }

  #parseMeta(bytes: Buffer): Meta {
    const at = PAGE_HEADER;
    if (bytes.readUInt32LE(at) !== MAGIC) throw this.unexpected('it has no LMDB header');
    const version = bytes.readUInt32LE(at + 4);
    if (version !== DATA_VERSION) throw this.unexpected(`its format is LMDB data version ${version}`);
    // The page size stands where the free list's database has its padding.
    const pageSize = bytes.readUInt32LE(at + 24);
    const isPowerOfTwo = (pageSize & (pageSize - 1)) === 0;
    if (pageSize < PAGE_SIZES.least || pageSize > PAGE_SIZES.most || !isPowerOfTwo) {
      throw this.unexpected(`it claims pages of ${pageSize} bytes`);
    }
    return {
      pageSize,
      main: this.#parseTree(bytes.subarray(at + 24 + DB_LENGTH, at + 24 + 2 * DB_LENGTH)),
      lastPage: this.#number(bytes.readBigUInt64LE(at + 120)),
      transaction: bytes.readBigUInt64LE(at + 128),
    };
  }

  #parseTree(bytes: Buffer): Tree {
    if (bytes.length !== DB_LENGTH) throw this.unexpected('a named database has no description');
    // Flags would change the order of keys (integer or reversed keys) or what a value is (duplicates).
    const flags = bytes.readUInt16LE(4);
    if (flags !== 0) throw this.unexpected(`a database has the flags 0x${flags.toString(16)}`);
    const depth = bytes.readUInt16LE(6);
    if (depth > DEEPEST) throw this.unexpected(`a tree claims ${depth} levels`);
    const root = bytes.readBigUInt64LE(40);
    return { depth, root: root === EMPTY_ROOT ? undefined : this.#number(root) };
  }

  async #named(meta: Meta, database: string): Promise<Tree | undefined> {
    const node = await this.#find(meta, meta.main, database);
    if (node === undefined) return undefined;
    if (!node.isDatabase) throw this.unexpected(`${database} is not a database`);
    return this.#parseTree(node.value);
  }

  async #find(
    meta: Meta,
    { depth, root }: Tree,
    text: string,
  ): Promise<{ readonly value: Buffer; readonly isDatabase: boolean } | undefined> {
    if (root === undefined) return undefined;
    const key = Buffer.from(text);
    let page = await this.#page(meta, root);
    for (let level = 1; level < depth; level++) page = await this.#page(meta, this.#number(page.child(key)));
    const node = page.leaf(key);
    if (node === undefined) return undefined;
    const { isDatabase, length, overflowPage, bytes } = node;
    if (length > LARGEST_VALUE) throw this.unexpected(`the value of ${text} claims ${length} bytes`);
    if (overflowPage === undefined) return { isDatabase, value: bytes };
    return { isDatabase, value: await this.#overflow(meta, this.#number(overflowPage), length) };
  }

  async #page(meta: Meta, number: number): Promise<LmdbPage> {
    return new LmdbPage(await this.#bytes(this.#offset(meta, number), meta.pageSize), number, (why) =>
      this.unexpected(why),
    );
  }

  async #overflow(meta: Meta, number: number, length: number): Promise<Buffer> {
    const bytes = await this.#bytes(this.#offset(meta, number), PAGE_HEADER + length);
    LmdbPage.checkOverflow(bytes, number, (why) => this.unexpected(why));
    return bytes.subarray(PAGE_HEADER);
  }

  #offset({ lastPage, pageSize }: Meta, number: number): number {
    if (number < 2 || number > lastPage) throw this.unexpected(`it refers to page ${number} of ${lastPage}`);
    return number * pageSize;
  }

  /** @param length bounded by every caller */
  async #bytes(position: number, length: number): Promise<Buffer> {
    const bytes = Buffer.alloc(length);
    const { bytesRead } = await this.#file.read(bytes, 0, length, position).catch((cause: unknown) => {
      throw this.unexpected(`byte ${position} cannot be read: ${(cause as Error).message}`, cause);
    });
    if (bytesRead !== length) throw this.unexpected(`it ends before byte ${position + length}`);
    return bytes;
  }

  /** Positions in a file fit well into a double: 2^53 / 32 KiB pages. */
  #number(value: bigint): number {
    if (value > 0x3f_ffff_ffffn) throw this.unexpected(`it refers to page ${value}`);
    return Number(value);
  }

  /** The error for something in this file that nobody expected, also for what a caller finds in a value. */
  unexpected(why: string, cause?: unknown): FallbackError {
    return unexpected(this.#path, why, cause);
  }
}

function unexpected(path: string, why: string, cause?: unknown): FallbackError {
  return new FallbackError('corrupt', 'KF_LMDB_UNEXPECTED', `${path}: ${why}`, {
    cause,
    hint: 'The node is taken for one that has a configuration. To bootstrap it all the same, use --force.',
  });
}
