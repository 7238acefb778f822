import type { Content, Head, Hold } from './head.ts';

export type { Content } from './head.ts';

/**
 * Same `config_hash` and same length: a control plane rewrites documents for older versions under an unchanged
 * hash, and writes keys in random order, so that neither the hash nor the bytes alone will do. Without a hash the
 * digest decides (FORMAT.md §3.1).
 */
export function sameContent(a: Content, b: Content): boolean {
  if (a.configHash === null || b.configHash === null) return a.documentSha256 === b.documentSha256;
  return a.configHash === b.configHash && a.documentLength === b.documentLength;
}

/** Of the head's current entry. */
export function contentOf(head: Head): Content {
  return contentOfEntry(head.entries[0] as Head['entries'][number]);
}

export function contentOfEntry(entry: Head['entries'][number]): Content {
  return {
    configHash: entry.configHash,
    documentLength: entry.document.length,
    documentSha256: entry.document.sha256,
  };
}

/** Whether a hold that is in force names this configuration as rejected (FORMAT.md §3.2). */
export function isRejected(content: Content, hold: Hold | null): boolean {
  return hold?.rejected.some((rejected) => sameContent(rejected, content)) ?? false;
}
