import type { Finding } from '../plugin/validator.ts';
import type { SnapshotEntry } from '../snapshot/head.ts';

export interface Verdict {
  /** Errors that refuse the document. Empty: it may be published. */
  readonly refusals: readonly Finding[];
  /** Recorded in the head when an operator let refusals pass. */
  readonly accepted: SnapshotEntry['accepted'];
}

/**
 * Splits findings into what refuses a document and what the operator accepted beforehand. Only findings that a
 * validator marked `acceptable` can be: a document that no data plane would load stays refused.
 */
export function judge(findings: readonly Finding[], acceptReason: string | undefined, by: string): Verdict {
  const errors = findings.filter(({ severity }) => severity === 'error');
  const passing = acceptReason === undefined ? [] : errors.filter(({ acceptable }) => acceptable === true);
  const refusals = errors.filter((finding) => !passing.includes(finding));
  if (refusals.length > 0 || passing.length === 0 || acceptReason === undefined)
    return { refusals, accepted: null };
  const codes = [...new Set(passing.map(({ code }) => code))];
  return { refusals, accepted: { codes, reason: acceptReason, by } };
}
