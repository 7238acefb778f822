// Branch, leaf and overflow pages of LMDB: sorted nodes behind an array of offsets (lmdb.ts walks them).

const PAGE_HEADER = 16;
const NODE_HEADER = 8;
const BRANCH = 0x01;
const LEAF = 0x02;
const OVERFLOW = 0x04;
/** A value on overflow pages; a value that describes a database. */
const BIG_DATA = 0x01;
const SUB_DATA = 0x02;

/** Makes the error to throw; it knows the file's name. */
export type Unexpected = (why: string) => Error;

export interface LmdbLeaf {
  readonly isDatabase: boolean;
  /** Bytes of the value. */
  readonly length: number;
  /** First page of the value, where it is not in the leaf. */
  readonly overflowPage: bigint | undefined;
  readonly bytes: Buffer;
}

export class LmdbPage {
  readonly #bytes: Buffer;
  readonly #kind: number;
  readonly #nodes: number;
  readonly #unexpected: Unexpected;

  constructor(bytes: Buffer, number: number, unexpected: Unexpected) {
    this.#bytes = bytes;
    this.#unexpected = unexpected;
    this.#kind = kindOf(bytes, number, unexpected);
    const lower = bytes.readUInt16LE(12);
    const upper = bytes.readUInt16LE(14);
    this.#nodes = (lower - PAGE_HEADER) / 2;
    if (!Number.isInteger(this.#nodes) || this.#nodes < 1 || lower > upper || upper > bytes.length) {
      throw unexpected(`page ${number} claims ${this.#nodes} nodes`);
    }
  }

  static checkOverflow(bytes: Buffer, number: number, unexpected: Unexpected): void {
    if (kindOf(bytes, number, unexpected) !== OVERFLOW)
      throw unexpected(`page ${number} is not an overflow page`);
  }

  /** The page below this branch that would hold the key. */
  child(key: Buffer): bigint {
    if (this.#kind !== BRANCH) throw this.#unexpected('a tree is lower than it claims');
    let chosen = this.#node(0);
    // The first node of a branch has no key: it stands for everything below the second.
    for (let index = 1; index < this.#nodes; index++) {
      const at = this.#node(index);
      if (this.#key(at).compare(key) > 0) break;
      chosen = at;
    }
    const [low, high, top] = [0, 2, 4].map((offset) => BigInt(this.#bytes.readUInt16LE(chosen + offset)));
    return (low as bigint) | ((high as bigint) << 16n) | ((top as bigint) << 32n);
  }

  leaf(key: Buffer): LmdbLeaf | undefined {
    if (this.#kind !== LEAF) throw this.#unexpected('a tree is higher than it claims');
    for (let index = 0; index < this.#nodes; index++) {
      const at = this.#node(index);
      const own = this.#key(at);
      if (own.equals(key)) return this.#value(at, own.length);
    }
    return undefined;
  }

  #value(at: number, keyLength: number): LmdbLeaf {
    const length = this.#bytes.readUInt16LE(at) + this.#bytes.readUInt16LE(at + 2) * 0x1_0000;
    const flags = this.#bytes.readUInt16LE(at + 4);
    if ((flags & ~(BIG_DATA | SUB_DATA)) !== 0) throw this.#unexpected(`a value has the flags ${flags}`);
    const isBig = (flags & BIG_DATA) !== 0;
    const start = at + NODE_HEADER + keyLength;
    const end = start + (isBig ? 8 : length);
    if (end > this.#bytes.length) throw this.#unexpected('a value is longer than its page');
    return {
      isDatabase: (flags & SUB_DATA) !== 0,
      length,
      overflowPage: isBig ? this.#bytes.readBigUInt64LE(start) : undefined,
      bytes: this.#bytes.subarray(start, end),
    };
  }

  /** Where a node begins; its header is inside the page. */
  #node(index: number): number {
    const at = this.#bytes.readUInt16LE(PAGE_HEADER + index * 2);
    if (at < PAGE_HEADER || at + NODE_HEADER > this.#bytes.length) {
      throw this.#unexpected('a node is outside of its page');
    }
    return at;
  }

  #key(at: number): Buffer {
    const start = at + NODE_HEADER;
    const end = start + this.#bytes.readUInt16LE(at + 6);
    if (end > this.#bytes.length) throw this.#unexpected('a key is longer than its page');
    return this.#bytes.subarray(start, end);
  }
}

function kindOf(bytes: Buffer, number: number, unexpected: Unexpected): number {
  if (bytes.readBigUInt64LE(0) !== BigInt(number)) throw unexpected(`page ${number} is another page`);
  // 0x10 marks pages of a transaction under way; they are never in the file of a finished one.
  const kind = bytes.readUInt16LE(10);
  if (kind !== BRANCH && kind !== LEAF && kind !== OVERFLOW) {
    throw unexpected(`page ${number} has the flags 0x${kind.toString(16)}`);
  }
  return kind;
}
