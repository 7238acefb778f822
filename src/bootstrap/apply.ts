// Last step: a restored snapshot → the target. Streams; what was there before stays until all of it is verified.
import type { AppliedDocument, Target } from '../plugin/target.ts';
import { type Clock, withDeadline } from '../resilience/index.ts';
import type { RestoredSnapshot } from '../restore/candidate.ts';

/** A DB-less node takes 45 s for 100,000 entities; a file far less. */
const DEADLINE_MS = 300_000;

export function apply(
  restored: RestoredSnapshot,
  target: Target,
  clock: Clock,
  signal: AbortSignal,
): Promise<AppliedDocument> {
  const { document, configHash } = restored.entry;
  return withDeadline(clock, DEADLINE_MS, signal, 'apply', (within) =>
    target.apply(
      {
        body: restored.open({ signal: within }),
        length: document.length,
        sha256: document.sha256,
        gatewayVersion: restored.head.gatewayVersion,
        configHash,
      },
      { signal: within },
    ),
  );
}
