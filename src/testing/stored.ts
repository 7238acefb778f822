import { strict as assert } from 'node:assert';
import type { ObjectStore, StoredObject } from '../plugin/index.ts';
import { drain } from './bytes.ts';

/** The object, which must be there. */
export async function fetched(store: ObjectStore, key: string, signal: AbortSignal): Promise<StoredObject> {
  const found = await store.get(key, { signal });
  assert.ok(found !== undefined && found !== 'not-modified', `${key} is there`);
  return found;
}

export async function bytesOf(store: ObjectStore, key: string, signal: AbortSignal): Promise<Uint8Array> {
  return drain((await fetched(store, key, signal)).body);
}

export const text = (value: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(value);
