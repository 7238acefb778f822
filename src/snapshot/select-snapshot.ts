import { FallbackError } from '../errors/index.ts';
import { contentOf, contentOfEntry, isRejected, sameContent } from './content.ts';
import type { Head, SnapshotEntry } from './head.ts';

export interface SelectionCodes {
  readonly unknown: string;
  readonly ambiguous: string;
}

/** Fewer hex digits than this are more likely a slip than a digest. */
const SHORTEST_PREFIX = 8;
const MOST_NAMED = 5;

/**
 * The listed snapshot that an operator means: `current`, `previous`, a sequence number, or a prefix of the document's SHA-256 or of
 * the control plane's hash, which names the same configuration in the lines of all gateway versions.
 *
 * @param where names the line in errors: "gateway 3.9.3"
 * @throws FallbackError `invalid` with the codes given
 */
export function selectSnapshot(
  head: Head,
  selector: string,
  where: string,
  codes: SelectionCodes = { unknown: 'KF_SNAPSHOT_UNKNOWN', ambiguous: 'KF_SNAPSHOT_AMBIGUOUS' },
): SnapshotEntry {
  const named = selector.toLowerCase();
  const unknown = (why: string) =>
    new FallbackError('invalid', codes.unknown, `${where}: ${why}`, {
      hint: 'Run `kongfallback history`: it shows the sequence and the hash of every snapshot that is kept.',
    });
  const [current] = head.entries;
  if (named === 'current' && current !== undefined) return current;
  if (named === 'previous') {
    const former = previous(head);
    if (former === undefined) throw unknown('there is no snapshot before the current one');
    return former;
  }
  const bySequence = head.entries.find(({ sequence }) => String(sequence) === named);
  if (bySequence !== undefined) return bySequence;
  if (!/^[0-9a-f]{1,64}$/.test(named)) {
    throw unknown(
      'expected a sequence number, the first 8 or more hex digits of a hash, current or previous',
    );
  }
  if (named.length < SHORTEST_PREFIX) {
    throw unknown(
      `no snapshot has the sequence ${named}, and a hash needs its first ${SHORTEST_PREFIX} digits`,
    );
  }
  const [found, ...others] = head.entries.filter(
    ({ configHash, document }) => document.sha256.startsWith(named) || configHash?.startsWith(named) === true,
  );
  if (found === undefined) throw unknown(`no snapshot that is kept has the sequence or hash ${named}`);
  const different = others.filter((other) => !sameContent(contentOfEntry(other), contentOfEntry(found)));
  if (different.length > 0) {
    const list = [found, ...different].slice(0, MOST_NAMED).map(({ sequence }) => sequence);
    throw new FallbackError(
      'invalid',
      codes.ambiguous,
      `${where}: ${named} names several snapshots, of sequence ${list.join(', ')}`,
      { hint: 'Give more digits, or the sequence number.' },
    );
  }
  return found;
}

/** The newest one with other content than the current one, which no rollback rejects. */
function previous(head: Head): SnapshotEntry | undefined {
  return head.entries.find((entry) => {
    const content = contentOfEntry(entry);
    return !sameContent(content, contentOf(head)) && !isRejected(content, head.hold);
  });
}
