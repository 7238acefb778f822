// Encryption plugins with a format of their own: called under a deadline, their streams bounded.
import { classify, FallbackError } from '../errors/index.ts';
import type { Encryption } from '../plugin/index.ts';
import type { PluginCall } from './key-ring.ts';

export interface CipherInstance {
  readonly id: string;
  readonly plugin: Encryption;
}

/** A format may add so much: armour of 4/3 and headers; beyond it the plugin does not end. */
const maxSealedLength = (compressed: number): number => compressed * 2 + 1024 * 1024;

/** A plugin that yields so many empty pieces in a row makes no progress. */
const MAX_EMPTY_PIECES = 10_000;

export async function sealWithPlugin(
  instance: CipherInstance,
  compressed: Uint8Array,
  context: Uint8Array,
  signal: AbortSignal,
  call: PluginCall,
): Promise<Uint8Array<ArrayBuffer>> {
  const what = `encryption ${instance.id}: seal`;
  const limit = maxSealedLength(compressed.length);
  const pieces: Uint8Array[] = [];
  let length = 0;
  const sealed = () => instance.plugin.seal(once(compressed), context, { signal });
  for await (const piece of guarded(instance.id, what, sealed, signal, call)) {
    length += piece.length;
    if (length > limit) throw misbehaved(what, `more than ${limit} bytes out of ${compressed.length}`);
    pieces.push(piece);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

export function openWithPlugin(
  instance: CipherInstance,
  sealed: AsyncIterable<Uint8Array>,
  context: Uint8Array,
  signal: AbortSignal,
  call: PluginCall,
): AsyncIterable<Uint8Array> {
  const what = `encryption ${instance.id}: open`;
  const opened = () => instance.plugin.open(sealed, context, { signal });
  return guarded(instance.id, what, opened, signal, call);
}

async function* guarded(
  id: string,
  what: string,
  begin: () => AsyncIterable<Uint8Array>,
  signal: AbortSignal,
  call: PluginCall,
): AsyncGenerator<Uint8Array, void, undefined> {
  let pieces: AsyncIterator<Uint8Array> | undefined;
  let stuck = false;
  try {
    pieces = begin()[Symbol.asyncIterator]();
    const { next } = pieces;
    let empty = 0;
    for (;;) {
      stuck = true;
      const step = await call(id, what, signal, async () => next.call(pieces));
      stuck = false;
      if (step.done === true) {
        pieces = undefined;
        return;
      }
      if (!(step.value instanceof Uint8Array)) throw misbehaved(what, 'something that is not bytes');
      empty = step.value.length === 0 ? empty + 1 : 0;
      if (empty > MAX_EMPTY_PIECES) throw misbehaved(what, 'nothing but empty pieces');
      if (empty === 0) yield step.value;
    }
  } catch (thrown) {
    throw classify(thrown, what);
  } finally {
    // A generator that hangs would never answer `return()`.
    const left = pieces?.return?.();
    if (stuck) left?.catch(() => {});
    else await left?.catch(() => {});
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}

function misbehaved(what: string, how: string): FallbackError {
  return new FallbackError('unavailable', 'KF_PLUGIN_MISBEHAVED', `${what}: the plugin yields ${how}`, {
    hint: 'This is a defect of the plugin; use another version of it.',
  });
}
