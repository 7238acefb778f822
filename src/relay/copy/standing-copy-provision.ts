// A restored snapshot → what data planes are given of it.
import type { RestoredSnapshot } from '../../restore/candidate.ts';
import type { Provision } from '../provision.ts';
import { buildFrame } from './build-frame.ts';
import { olderHashes } from './freshness.ts';

/** Judges a snapshot that no trusted key signed, as a bootstrap does; throws when it would not load. */
export type CheckSnapshot = (restored: RestoredSnapshot, signal: AbortSignal) => Promise<void>;

/** @throws FallbackError what checking and reading the snapshot throw; `aborted` */
export async function provisionOf(
  restored: RestoredSnapshot,
  check: CheckSnapshot,
  signal: AbortSignal,
): Promise<Provision> {
  if (!restored.authenticated) await check(restored, signal);
  const { head, entry, origin } = restored;
  const { configHash, hashes, asOf, plugins } = entry;
  const { sequence, gatewayVersion } = head;
  const timestampSeconds = Date.parse(asOf) / 1000;
  const facts = { configHash, hashes, timestampSeconds, sequence, asOf };
  const frame = await buildFrame(restored.open({ signal }), facts, { signal });
  return {
    gatewayVersion,
    configHash,
    olderHashes: olderHashes(head, entry),
    plugins,
    sequence,
    origin,
    frame,
  };
}
