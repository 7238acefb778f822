// What a relay holds of one line, and what a newer head says of it.
import type { RestoredSnapshot } from '../../restore/candidate.ts';
import { contentOfEntry, isRejected } from '../../snapshot/content.ts';
import type { Head, SnapshotEntry } from '../../snapshot/head.ts';
import type { Provision } from '../provision.ts';
import { isSameSnapshot, olderHashes } from './freshness.ts';

export interface Held {
  readonly provision: Provision;
  /** That it was restored under, or confirmed by. */
  readonly head: Head;
  readonly entry: SnapshotEntry;
}

export const isSameHead = (a: Head, b: Head): boolean => a.sequence === b.sequence && a.nonce === b.nonce;

/** The entry of `head` that a reader wants and whose frame is held already. */
export function wantedAndHeld(held: Held, head: Head): SnapshotEntry | undefined {
  const same = head.entries.find((entry) => isSameSnapshot(entry, held.entry));
  // Nothing better could be had from that head: it is not tried again before there is another one.
  if (isSameHead(head, held.head) && held.provision.origin === 'storage') return same;
  const wanted = head.entries.find((entry) => !isRejected(contentOfEntry(entry), head.hold));
  return wanted === same ? same : undefined;
}

/** The entry that is held, where the same head lists what was restored below it: it would be a step back. */
export function heldAbove(held: Held, { head, entry }: RestoredSnapshot): SnapshotEntry | undefined {
  const above = head.entries.slice(0, head.entries.indexOf(entry));
  const same = above.find((other) => isSameSnapshot(other, held.entry));
  return same !== undefined && !isRejected(contentOfEntry(same), head.hold) ? same : undefined;
}

/** The same configuration under a newer head of the stores. */
export function confirmed({ provision }: Held, head: Head, entry: SnapshotEntry): Held {
  const facts = {
    sequence: head.sequence,
    olderHashes: olderHashes(head, entry),
    origin: 'storage' as const,
  };
  return { head, entry, provision: { ...provision, ...facts } };
}
