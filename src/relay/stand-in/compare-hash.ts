import type { Provision } from '../provision.ts';

/**
 * What the hash in a ping says of a data plane that has not been sent this provision.
 *
 * - `lacking`: it has no configuration, or one that the head lists as older: it needs the frame
 * - `current`: it has this very one
 * - `unknown`: it has another, which may be newer: it is left alone
 */
export type HashVerdict = 'lacking' | 'current' | 'unknown';

export function compareHash(hash: string, provision: Provision): HashVerdict {
  if (isEmptyHash(hash)) return 'lacking';
  if (hash === provision.configHash) return 'current';
  return provision.olderHashes.has(hash) ? 'lacking' : 'unknown';
}

/** Up to 3.5 the ping of a data plane without a configuration may be empty; otherwise it is 32 zeros. */
export function isEmptyHash(hash: string): boolean {
  return /^0*$/.test(hash);
}
