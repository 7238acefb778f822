import { validate } from '../bootstrap/validate.ts';
import type { Clock } from '../plugin/plugin.ts';
import { type DrillDependencies, type DrillOptions, type DrillResult, drill } from '../status/drill.ts';
import { lineVersions } from './line-versions.ts';
import { Part } from './parts.ts';
import type { Get } from './tokens.ts';

/** As a bootstrap has them. */
const RESOLVE_MS = 15_000;
const RECENT_MS = 1_200_000;

/**
 * Restores every line from each store by itself, and on a node from its cache, into scratch files.
 *
 * @throws FallbackError `invalid` for settings that cannot work; `unavailable` KF_DRILL_SCRATCH; the signal's abort
 */
export async function runDrill(get: Get, signal: AbortSignal): Promise<DrillResult[]> {
  const { settings, role } = get(Part.settings);
  const { cluster, limits, bootstrap } = settings;
  const { minimumSequence, cacheDirectory } = bootstrap;
  const { maxDocumentBytes, maxSealedBytes } = limits;
  const clock: Clock = get(Part.clock);
  const deps: DrillDependencies = {
    stores: await get(Part.stores),
    sealing: await get(Part.sealing),
    trust: get(Part.trust),
    clock,
    check: (restored, within) =>
      validate(restored, { worker: get(Part.worker), now: clock.now(), maxDocumentBytes, signal: within }),
  };
  const options: DrillOptions = {
    restore: {
      resolveMs: RESOLVE_MS,
      recentMs: RECENT_MS,
      ...(minimumSequence !== undefined && { minimumSequence }),
      maxSealedBytes,
      maxDocumentBytes,
    },
    cacheDirectory: role === 'node' ? cacheDirectory : undefined,
    signal,
  };
  const results: DrillResult[] = [];
  for (const gatewayVersion of lineVersions(get)) {
    results.push(...(await drill({ cluster, gatewayVersion }, deps, options)));
  }
  return results;
}
