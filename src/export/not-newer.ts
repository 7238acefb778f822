import type { Logger } from '../plugin/plugin.ts';
import type { Candidate, Decision } from './decide.ts';

/** One line for a configuration that is not published because of what the stores hold. */
export function warnNotNewer(
  log: Logger,
  decision: Extract<Decision, { readonly action: 'older' | 'held' }>,
  { configHash }: Candidate,
): void {
  const fields = { event: `export.${decision.action}`, configHash };
  if (decision.action === 'older') {
    const message =
      'control planes disagree: a store holds a newer configuration than this control plane sends';
    log.error({ ...fields, store: decision.against }, message);
  } else {
    log.warn(fields, 'not published: a rollback is in force that rejects this configuration');
  }
}
