import aesGcm from '../../../plugins/encryption/aes-gcm/index.ts';
import none from '../../../plugins/encryption/none/index.ts';
import type { Encryption, KeyWrap } from '../../../src/plugin/index.ts';
import { Outside } from '../../../src/resilience/index.ts';
import { type EncryptionInstance, Sealing } from '../../../src/snapshot/sealing.ts';
import { FakeClock } from '../../../src/testing/fake-clock.ts';
import { pluginContext } from '../../../src/testing/plugin-context.ts';

/** The bytes in pieces of the given sizes, over and over; size 0 is an empty piece. */
export async function* inPieces(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let offset = 0;
  for (let turn = 0; offset < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield bytes.subarray(offset, offset + size);
    offset += size;
  }
}

export async function collected(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** What came out before the stream ended, and the error it ended with. */
export async function drained(stream: AsyncIterable<Uint8Array>): Promise<{
  readonly bytes: Buffer;
  readonly error?: Error & { kind?: string; code?: string; hint?: string };
}> {
  const pieces: Uint8Array[] = [];
  try {
    for await (const piece of stream) pieces.push(Uint8Array.from(piece));
    return { bytes: Buffer.concat(pieces) };
  } catch (error) {
    return { bytes: Buffer.concat(pieces), error: error as Error };
  }
}

export const SIGNAL = new AbortController().signal;

export const outside = (clock = new FakeClock()) => new Outside(clock, () => 0);

export async function aesGcmWith(...keys: string[]): Promise<EncryptionInstance> {
  const plugin = (await aesGcm.create({ keys }, pluginContext({ id: 'aes-gcm' }))) as KeyWrap;
  return { id: 'aes-gcm', use: 'aes-gcm', plugin };
}

export async function plain(): Promise<EncryptionInstance> {
  const plugin = (await none.create({}, pluginContext({ id: 'none' }))) as Encryption;
  return { id: 'none', use: 'none', plugin };
}

export function sealingWith(...instances: EncryptionInstance[]): Sealing {
  return new Sealing(instances, { outside: outside(), deadlineMs: 1000 });
}
