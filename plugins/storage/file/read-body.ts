import type { FileHandle } from 'node:fs/promises';
import type { PluginContext } from 'kongfallback/plugin';
import { fileError } from './errors.ts';

const CHUNK_BYTES = 262_144;

/**
 * The open file piece by piece; a fresh buffer each, which is the reader's. The file is closed at the end, when
 * the loop is left, or when the signal fires before anybody began to read.
 */
export function readBody(
  context: PluginContext,
  handle: FileHandle,
  path: string,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const close = () => void handle.close().catch(() => {});
  signal.addEventListener('abort', close, { once: true });
  return chunks(context, handle, path, signal, close);
}

async function* chunks(
  context: PluginContext,
  handle: FileHandle,
  path: string,
  signal: AbortSignal,
  close: () => void,
): AsyncGenerator<Uint8Array> {
  signal.removeEventListener('abort', close);
  try {
    for (;;) {
      if (signal.aborted) throw context.error('aborted', 'stopped before it was done');
      const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
      const { bytesRead } = await handle.read(buffer, 0, CHUNK_BYTES);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } catch (error) {
    throw fileError(context, error, path);
  } finally {
    await handle.close();
  }
}
