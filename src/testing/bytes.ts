import { strict as assert } from 'node:assert';
import { types } from 'node:util';

/** Bytes that differ at every place near one another, the same on every call. */
export function pattern(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = seed >>> 0 || 1;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

/** Everything that a body yields, each chunk looked at. */
export async function drain(body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of body) {
    assert.ok(types.isUint8Array(chunk), 'a body yields Uint8Array chunks');
    parts.push(chunk);
  }
  // Not a Buffer, whose slice() would share its memory.
  return new Uint8Array(Buffer.concat(parts));
}

/** Compares without printing megabytes when it fails. */
export function assertSameBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
  if (Buffer.compare(actual, expected) === 0) return;
  const at = actual.findIndex((byte, index) => byte !== expected[index]);
  assert.fail(
    `${what}: ${actual.byteLength} bytes instead of ${expected.byteLength}, first difference at ` +
      `${at === -1 ? Math.min(actual.byteLength, expected.byteLength) : at}`,
  );
}
