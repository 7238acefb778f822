// Sealed snapshots of the core's own format (FORMAT.md §4.1): header with wrapped data keys, then chunks.
import { createHash, hkdfSync, randomBytes } from 'node:crypto';
import { FallbackError } from '../errors/index.ts';
import {
  decodeHeader,
  encodeHeader,
  type HeaderKey,
  type HeaderRefusals,
  headerLength,
  PREFIX_BYTES,
} from './envelope-header.ts';
import { CHUNK_BYTES, openChunks, sealChunk, sealedChunksLength } from './stream-cipher.ts';

export const DATA_KEY_BYTES = 32;

export type WrapDataKey = (dataKey: Uint8Array) => Promise<readonly HeaderKey[]>;
/** @throws what opening shall fail with when no key can be had */
export type UnwrapDataKey = (keys: readonly HeaderKey[]) => Promise<Uint8Array>;

/** Seals under a fresh data key, which `wrap` wraps and which is wiped before this returns. */
export async function sealEnvelope(
  compressed: Uint8Array,
  context: Uint8Array,
  wrap: WrapDataKey,
): Promise<Uint8Array<ArrayBuffer>> {
  const dataKey = randomBytes(DATA_KEY_BYTES);
  try {
    const header = encodeHeader(await wrap(dataKey));
    return sealUnder(payloadKey(dataKey, header, context), header, compressed);
  } finally {
    dataKey.fill(0);
  }
}

/**
 * Opens a stream in any chunking; yields authenticated bytes only, in flat memory.
 *
 * @throws FallbackError `corrupt` KF_SNAPSHOT_CORRUPT, `unsupported` KF_SNAPSHOT_FORMAT, what `unwrap` throws
 */
export async function* openEnvelope(
  sealed: AsyncIterable<Uint8Array>,
  context: Uint8Array,
  unwrap: UnwrapDataKey,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = new Reader(sealed);
  let key: Buffer | undefined;
  try {
    const prefix = await reader.take(PREFIX_BYTES);
    const json = await reader.take(headerLength(prefix, REFUSALS));
    const dataKey = await unwrap(decodeHeader(json, REFUSALS));
    key = payloadKey(dataKey, Buffer.concat([prefix, json]), context);
    dataKey.fill(0);
    yield* openChunks(key, reader.rest(), REFUSALS.damaged);
  } finally {
    key?.fill(0);
    await reader.close();
  }
}

function sealUnder(key: Buffer, header: Uint8Array, compressed: Uint8Array): Uint8Array<ArrayBuffer> {
  const sealed = new Uint8Array(header.length + sealedChunksLength(compressed.length));
  sealed.set(header);
  let at = header.length;
  const chunks = Math.max(1, Math.ceil(compressed.length / CHUNK_BYTES));
  for (let counter = 0; counter < chunks; counter++) {
    const chunk = compressed.subarray(counter * CHUNK_BYTES, (counter + 1) * CHUNK_BYTES);
    for (const part of sealChunk(key, counter, counter === chunks - 1, chunk)) {
      sealed.set(part, at);
      at += part.length;
    }
  }
  key.fill(0);
  return sealed;
}

/** Binds header and context: neither can be changed or swapped without every chunk failing. */
function payloadKey(dataKey: Uint8Array, header: Uint8Array, context: Uint8Array): Buffer {
  const salt = createHash('sha256').update(header).digest();
  return Buffer.from(hkdfSync('sha256', dataKey, salt, context, DATA_KEY_BYTES));
}

/** Takes a few bytes off the front of a stream and leaves the rest as it is. */
class Reader {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #front: Uint8Array = new Uint8Array(0);
  #ended = false;

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#pieces = stream[Symbol.asyncIterator]();
  }

  /** Exactly `length` bytes; a stream that ends before is damaged. */
  async take(length: number): Promise<Uint8Array> {
    const taken = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      if (this.#front.length === 0 && !(await this.#next())) break;
      const part = this.#front.subarray(0, length - filled);
      taken.set(part, filled);
      filled += part.length;
      this.#front = this.#front.subarray(part.length);
    }
    if (filled < length) throw REFUSALS.damaged('it ends within its header');
    return taken;
  }

  async *rest(): AsyncGenerator<Uint8Array, void, undefined> {
    do {
      yield this.#front;
    } while (await this.#next());
  }

  async close(): Promise<void> {
    if (!this.#ended) await this.#pieces.return?.();
    this.#ended = true;
  }

  async #next(): Promise<boolean> {
    const step = await this.#pieces.next();
    this.#ended = step.done === true;
    this.#front = step.done === true ? new Uint8Array(0) : step.value;
    return !this.#ended;
  }
}

const REFUSALS: HeaderRefusals = {
  damaged: snapshotCorrupt,
  version: (what) =>
    new FallbackError('unsupported', 'KF_SNAPSHOT_FORMAT', `the sealed snapshot has ${what}`, {
      hint: 'A later version of kongfallback sealed it; use that version here.',
    }),
};

export function snapshotCorrupt(why: string, cause?: unknown): FallbackError {
  return new FallbackError('corrupt', 'KF_SNAPSHOT_CORRUPT', `the sealed snapshot is damaged: ${why}`, {
    ...(cause !== undefined && { cause }),
    hint: 'An older snapshot is used where there is one. The next export of a changed configuration replaces it; see who else writes to this storage.',
  });
}
