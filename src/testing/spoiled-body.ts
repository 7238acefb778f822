import type { ByteStream } from '../plugin/index.ts';

/** What goes wrong with a body that is being read. */
export type BodyFault = 'truncate' | 'extend' | 'flip' | 'stall' | 'never-end';

/** The body as it is up to byte `at`, and from there on as the fault says. */
export async function* spoiled(body: ByteStream, fault: BodyFault, at: number): AsyncGenerator<Uint8Array> {
  let position = 0;
  for await (const chunk of body) {
    const begin = position;
    position += chunk.byteLength;
    if (position <= at) {
      yield chunk;
      continue;
    }
    const offset = Math.max(0, at - begin);
    if (fault === 'extend') {
      yield chunk;
      continue;
    }
    if (fault === 'flip') {
      yield begin <= at ? flipped(chunk, offset) : chunk;
      continue;
    }
    yield chunk.subarray(0, offset);
    if (fault === 'truncate') return;
    yield* endless(fault);
  }
  if (fault === 'extend') yield Uint8Array.of(0);
  if (fault === 'stall' || fault === 'never-end') yield* endless(fault);
}

function flipped(chunk: Uint8Array, offset: number): Uint8Array {
  const copy = new Uint8Array(chunk);
  copy[offset] = (copy[offset] ?? 0) ^ 1;
  return copy;
}

async function* endless(fault: BodyFault): AsyncGenerator<Uint8Array> {
  if (fault === 'stall') await new Promise<never>(() => {});
  for (;;) yield new Uint8Array(1024);
}
