// What a node has seen against what the storages hold. Pure.
import type { FallbackError } from '../errors/index.ts';
import { newestHead, type StoreHead } from './read-heads.ts';

export interface TrustLine {
  readonly gatewayVersion: string;
  /** The highest sequence that this node has verified; null: none, it takes what it is given first. */
  readonly ratchet: number | null;
  readonly minimumSequence: number | null;
  readonly stores: readonly TrustStore[];
  /** `refused`: every head that verifies is below what was seen; `behind`: some are. */
  readonly verdict: 'ok' | 'behind' | 'refused' | 'unknown';
}

export interface TrustStore {
  readonly store: string;
  readonly sequence: number | null;
  readonly authenticated: boolean | null;
  readonly verdict: 'taken' | 'refused' | 'unusable';
  readonly error: FallbackError | null;
}

export function trustLine(
  gatewayVersion: string,
  heads: readonly StoreHead[],
  seen: { readonly ratchet: number | undefined; readonly minimumSequence: number | undefined },
): TrustLine {
  const floor = Math.max(seen.ratchet ?? 0, seen.minimumSequence ?? 0);
  const stores = heads.map(({ store, reading, error }): TrustStore => {
    const sequence = reading?.head.sequence ?? null;
    const verdict = sequence === null ? 'unusable' : sequence < floor ? 'refused' : 'taken';
    return { store, sequence, authenticated: reading?.authenticated ?? null, verdict, error: error ?? null };
  });
  return {
    gatewayVersion,
    ratchet: seen.ratchet ?? null,
    minimumSequence: seen.minimumSequence ?? null,
    stores,
    verdict: verdictOf(stores),
  };
}

/** The sequence from which on a node is to count after the storages were set back on purpose. */
export const sequenceNow = (heads: readonly StoreHead[]): number | undefined =>
  newestHead(heads)?.head.sequence;

function verdictOf(stores: readonly TrustStore[]): TrustLine['verdict'] {
  const usable = stores.filter(({ verdict }) => verdict !== 'unusable');
  if (usable.length === 0) return 'unknown';
  const refused = usable.filter(({ verdict }) => verdict === 'refused').length;
  if (refused === 0) return 'ok';
  return refused === usable.length ? 'refused' : 'behind';
}
