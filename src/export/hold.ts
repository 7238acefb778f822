// A rollback in force, as exporters honour it (FORMAT.md §3.2).
import { type Content, contentOfEntry, isRejected, sameContent } from '../snapshot/content.ts';
import type { Head, Hold } from '../snapshot/head.ts';

/**
 * The hold that the next head carries: it ends with its `until`.
 *
 * @param now by the store's clock, milliseconds since 1970
 */
export function holdAt(hold: Hold | null, now: number): Hold | null {
  return hold?.until != null && Date.parse(hold.until) <= now ? null : hold;
}

/**
 * What a configuration must be newer than, milliseconds since 1970. A rollback brings an old configuration to the front:
 * what a control plane with a dead database sends is newer than that one, and must still not replace it. So the newest
 * that was ever known counts, and that is what the rollback rejects.
 */
export function evidenceToBeat(head: Head, candidate: Content): number {
  const [current, ...others] = head.entries;
  if (current === undefined) throw new TypeError('a decoded head has at least one entry');
  const rejected = others.filter((entry) => {
    const content = contentOfEntry(entry);
    return isRejected(content, head.hold) && !sameContent(content, candidate);
  });
  return Math.max(...[current, ...rejected].map(({ asOf }) => Date.parse(asOf)));
}
