import { FallbackError } from '../errors/index.ts';
import type { ByteStream } from '../plugin/index.ts';
import type { Clock } from '../resilience/index.ts';
import { checkedChunk, fromPlugin } from './store-answer.ts';
import { iterate } from './store-iterate.ts';
import { StreamWatch, type WatchLimits } from './store-watch.ts';

export interface BodyOptions {
  /** The request, for errors. */
  readonly what: string;
  readonly body: ByteStream;
  /** Ends the plugin's side; its signal is the one the plugin was given. */
  readonly cancel: AbortController;
  readonly maxBytes: number;
  readonly limits: WatchLimits;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly onBytes: (count: number) => void;
}

export interface BoundedBody {
  readonly body: AsyncGenerator<Uint8Array, void, undefined>;
  readonly discard: () => void;
}

/**
 * A plugin's body under limits of size and time. The watch runs from this call on, so that a body which nobody
 * reads is ended too.
 *
 * @throws FallbackError `corrupt` KF_STORE_OBJECT_TOO_LARGE; `unavailable` KF_STORE_BODY_STALLED,
 * KF_DEADLINE_EXCEEDED, KF_PLUGIN_MISBEHAVED; what the plugin throws, classified
 */
export function boundedBody(options: BodyOptions): BoundedBody {
  const { cancel, clock, limits, signal, what } = options;
  const watch = new StreamWatch(clock, limits, what, signal, (error) => cancel.abort(error));
  return { body: chunks(options, watch), discard: () => watch.end(discarded(what)) };
}

async function* chunks(
  options: BodyOptions,
  watch: StreamWatch,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { body, cancel, clock, maxBytes, onBytes, what } = options;
  let length = 0;
  try {
    for await (const item of iterate<unknown>(body, clock, watch, () => cancel.abort())) {
      const chunk = checkedChunk(item, what);
      if (chunk.byteLength === 0) continue;
      watch.progressed();
      length += chunk.byteLength;
      onBytes(chunk.byteLength);
      if (length > maxBytes) throw tooLarge(what, maxBytes);
      yield chunk;
    }
  } catch (thrown) {
    throw fromPlugin(thrown, what, cancel.signal);
  }
}

/** Bytes of a bounded stream in one piece; grows by what arrived, never by what was announced. */
export async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  let buffer = new Uint8Array(16_384);
  let length = 0;
  for await (const chunk of chunks) {
    const needed = length + chunk.byteLength;
    if (needed > buffer.byteLength) {
      const grown = new Uint8Array(Math.max(needed, buffer.byteLength * 2));
      grown.set(buffer.subarray(0, length));
      buffer = grown;
    }
    buffer.set(chunk, length);
    length = needed;
  }
  return buffer.slice(0, length);
}

function tooLarge(what: string, maxBytes: number): FallbackError {
  return new FallbackError('corrupt', 'KF_STORE_OBJECT_TOO_LARGE', `${what}: more than ${maxBytes} bytes`, {
    hint: 'The object is not what an exporter wrote, or the store repeats itself; see who else writes there.',
  });
}

function discarded(what: string): FallbackError {
  return new FallbackError('aborted', 'KF_ABORTED', `${what}: not wanted any more`);
}
