// A restored document → the one WebSocket frame that every data plane of its version is given.
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { aborted } from '../../resilience/index.ts';
import type { PreparedFrame } from '../prepared-frame.ts';
import { frameHeader, MAX_FRAME_HEADER_BYTES } from './frame-header.ts';

export interface FrameFacts {
  /** The control plane's own; null leaves it out, and the data plane computes it. Never made up: design D9. */
  readonly configHash: string | null;
  /** As `configHash`: a stale one would leave an old router or plugin list running. */
  readonly hashes: Readonly<Record<string, string>> | null;
  /** Seconds since 1970; a data plane only logs it. */
  readonly timestampSeconds: number;
  /** Of the head that the document was restored under. */
  readonly sequence: number;
  /** Since when the document is known to be the control plane's; ISO 8601. */
  readonly asOf: string;
}

/** What a socket is given at a time: a few pieces in flight are enough for a fast link, and no burden for a slow one. */
const PIECE_BYTES = 256 * 1024;
/** As the exporter compresses. */
const LEVEL = 1;

/**
 * The document's bytes go into the message as they are. Memory stays at the compressed size and a few MB; zlib works on
 * a thread of its own, so that the event loop goes on.
 *
 * @param document one JSON object, already checked; it is read to its end or not used at all
 * @throws what the document ends with; FallbackError `aborted`
 */
export async function buildFrame(
  document: AsyncIterable<Uint8Array>,
  facts: FrameFacts,
  { signal }: { readonly signal: AbortSignal },
): Promise<PreparedFrame> {
  if (signal.aborted) throw aborted(signal);
  const gzip = createGzip({ level: LEVEL, chunkSize: PIECE_BYTES / 4 });
  const fed = pipeline(message(document, facts), gzip, { signal });
  // Its error comes out of the loop as well.
  fed.catch(() => {});
  const payload = new Pieces();
  try {
    for await (const piece of gzip) payload.append(piece as Buffer);
    await fed;
  } catch (thrown) {
    throw signal.aborted ? aborted(signal) : thrown;
  } finally {
    gzip.destroy();
  }
  return payload.framed();
}

/** The marks come before the table, so that the first kilobytes tell that this is no control plane. */
async function* message(
  document: AsyncIterable<Uint8Array>,
  facts: FrameFacts,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { configHash, hashes, timestampSeconds, sequence, asOf } = facts;
  const members = JSON.stringify({
    type: 'reconfigure',
    timestamp: timestampSeconds,
    ...(configHash !== null && { config_hash: configHash }),
    ...(hashes !== null && { hashes }),
    kongfallback: { stand_in: true, sequence, as_of: asOf },
  });
  yield Buffer.from(`${members.slice(0, -1)},"config_table":`);
  yield* document;
  yield Buffer.from('}');
}

/** Fills pieces of one size, whatever the sizes that arrive; leaves room for the header, known only at the end. */
class Pieces {
  readonly #full: Buffer[] = [];
  #current = Buffer.allocUnsafeSlow(PIECE_BYTES);
  #used = MAX_FRAME_HEADER_BYTES;

  append(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#used === PIECE_BYTES) {
        this.#full.push(this.#current);
        this.#current = Buffer.allocUnsafeSlow(PIECE_BYTES);
        this.#used = 0;
      }
      const copied = bytes.copy(this.#current, this.#used, at);
      at += copied;
      this.#used += copied;
    }
  }

  framed(): PreparedFrame {
    const last = Buffer.from(this.#current.subarray(0, this.#used));
    const pieces = [...this.#full, last];
    const payloadBytes = pieces.reduce((sum, { length }) => sum + length, 0) - MAX_FRAME_HEADER_BYTES;
    const header = frameHeader(payloadBytes);
    const [first = last, ...rest] = pieces;
    const unused = MAX_FRAME_HEADER_BYTES - header.length;
    header.copy(first, unused);
    return { pieces: [first.subarray(unused), ...rest], length: payloadBytes + header.length };
  }
}
