import {
  decodeHeader,
  type HeaderRefusals,
  headerLength,
  PREFIX_BYTES,
} from '../snapshot/envelope-header.ts';
import type { SnapshotEntry } from '../snapshot/head.ts';
import { ENVELOPE, type SealedUnder } from '../snapshot/sealing.ts';
import type { SnapshotStore } from '../snapshot/snapshot-store.ts';

/**
 * How a stored snapshot is sealed, by its first bytes. They are not verified, which needs the whole: this only says what
 * to look into. Undefined where it is missing or damaged.
 *
 * @throws FallbackError what the store throws
 */
export async function sealedUnder(
  store: SnapshotStore,
  entry: SnapshotEntry,
  signal: AbortSignal,
): Promise<SealedUnder | undefined> {
  const { encryption } = entry.sealed;
  if (encryption !== ENVELOPE) return { encryption, keys: [] };
  const found = await store.streamSnapshot(entry, { signal });
  if (found === undefined) return undefined;
  let bytes = Buffer.alloc(0);
  try {
    for await (const piece of found.body) {
      bytes = Buffer.concat([bytes, piece]);
      if (bytes.length < PREFIX_BYTES) continue;
      const end = PREFIX_BYTES + headerLength(bytes, UNKNOWN);
      if (bytes.length < end) continue;
      const keys = decodeHeader(bytes.subarray(PREFIX_BYTES, end), UNKNOWN);
      return { encryption, keys: keys.map(({ plugin, keyId }) => ({ plugin, keyId })) };
    }
    return undefined;
  } catch (error) {
    if (error instanceof UnknownHeader) return undefined;
    throw error;
  }
}

/** One name for each way of sealing, whatever the order of the keys. */
export const sealedName = ({ encryption, keys }: SealedUnder): string =>
  JSON.stringify([encryption, ...keys.map(({ plugin, keyId }) => `${plugin}\n${keyId}`).sort()]);

class UnknownHeader extends Error {}

const UNKNOWN: HeaderRefusals = {
  damaged: (why) => new UnknownHeader(why),
  version: (what) => new UnknownHeader(what),
};
