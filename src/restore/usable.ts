import { FallbackError } from '../errors/index.ts';
import type { Finding } from '../plugin/index.ts';
import type { Head, SnapshotEntry } from '../snapshot/head.ts';

/**
 * What can be told of an entry before a byte of it is fetched.
 *
 * @throws FallbackError `unsupported` KF_SNAPSHOT_TOO_LARGE, KF_COMPRESSION_UNKNOWN
 */
export function checkUsable(
  entry: SnapshotEntry,
  limits: { readonly maxSealedBytes: number; readonly maxDocumentBytes: number },
): void {
  const { document, sealed } = entry;
  if (document.compression !== 'gzip') {
    throw new FallbackError(
      'unsupported',
      'KF_COMPRESSION_UNKNOWN',
      `the snapshot is compressed with ${JSON.stringify(document.compression)}`,
      { hint: 'A later version of kongfallback exported it; use that version here.' },
    );
  }
  if (sealed.length > limits.maxSealedBytes) {
    throw tooLarge('sealed bytes', sealed.length, 'maxSealedBytes', limits.maxSealedBytes);
  }
  if (document.length > limits.maxDocumentBytes) {
    throw tooLarge('document', document.length, 'maxDocumentBytes', limits.maxDocumentBytes);
  }
}

export function entryFindings(head: Head, entry: SnapshotEntry, now: number): Finding[] {
  const findings: Finding[] = [];
  if (entry !== head.entries[0]) {
    findings.push({
      code: 'restore/older-snapshot',
      severity: 'warning',
      message: `an older snapshot is used, of ${entry.asOf}; the current one is of ${head.entries[0]?.asOf}`,
    });
  }
  if (entry.loadableUntil !== null && Date.parse(entry.loadableUntil) <= now) {
    findings.push({
      code: 'restore/not-loadable',
      severity: 'warning',
      message: `a data plane may reject this configuration since ${entry.loadableUntil}: a CA certificate in it has expired`,
      hint: 'Renew the certificate in the control plane; until then data planes cannot load it from there either.',
    });
  }
  return findings;
}

function tooLarge(what: string, length: number, setting: string, limit: number): FallbackError {
  return new FallbackError(
    'unsupported',
    'KF_SNAPSHOT_TOO_LARGE',
    `${what} of ${length} bytes, ${limit} are allowed`,
    {
      hint: `Raise \`limits.${setting}\` here if this size is expected.`,
    },
  );
}
