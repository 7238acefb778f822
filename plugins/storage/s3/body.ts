import type { Readable } from 'node:stream';

/**
 * A response's body. Its connection is freed at the end, when the loop is left, and when the signal fires, also
 * before anybody began to read.
 */
export function responseBody(
  readable: Readable,
  signal: AbortSignal,
  toError: (error: unknown) => Error,
): AsyncIterable<Uint8Array> {
  const stop = () => readable.destroy();
  // An error after the reader has left is nobody's.
  readable.on('error', () => {});
  readable.once('close', () => signal.removeEventListener('abort', stop));
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  return chunks(readable, toError);
}

async function* chunks(readable: Readable, toError: (error: unknown) => Error): AsyncGenerator<Uint8Array> {
  try {
    yield* readable as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw toError(error);
  } finally {
    readable.destroy();
  }
}
