import { contentOf, isRejected, sameContent } from '../snapshot/content.ts';
import type { Head } from '../snapshot/head.ts';
import { currentEntry } from './decide.ts';
import { LineHeads } from './line-heads.ts';
import type { StoreToWrite } from './publish.ts';

/**
 * The heads of stores that may be brought to what is stored without any new evidence from a control plane: those that
 * hold nothing, the same, what a rollback rejects, or what is surely older. Another store's newer configuration stays.
 */
export function keptHeads({ base, failures, readings }: LineHeads, marginMs: number): LineHeads {
  return new LineHeads(
    readings.filter(
      ({ head }) => base === undefined || head === undefined || mayReplace(head, base, marginMs),
    ),
    failures,
  );
}

/** Stores with the newest head, and those with another one or none. */
export function split(
  { base, readings }: LineHeads,
  stores: readonly StoreToWrite[],
): { readonly stores: readonly StoreToWrite[]; readonly lagging: readonly StoreToWrite[] } {
  const even = new Set(
    readings.filter(({ head }) => head?.nonce === base?.nonce).map(({ store }) => store.id),
  );
  return {
    stores: stores.filter(({ store }) => even.has(store.id)),
    lagging: stores.filter(({ store }) => !even.has(store.id)),
  };
}

function mayReplace(head: Head, base: Head, marginMs: number): boolean {
  if (head.nonce === base.nonce) return true;
  const content = contentOf(head);
  if (sameContent(content, contentOf(base)) || isRejected(content, base.hold)) return true;
  return Date.parse(currentEntry(base).asOf) - Date.parse(currentEntry(head).asOf) > marginMs;
}
