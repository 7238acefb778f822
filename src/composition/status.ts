import type { DependencyContainer } from 'tsyringe';
import { confirmIntervalMs } from '../export/confirm-interval.ts';
import { readLine } from '../status/read-line.ts';
import { type StatusReport, statusReport } from '../status/report.ts';
import { lineVersions } from './line-versions.ts';
import { Part } from './parts.ts';
import { get as getter } from './tokens.ts';

/** For each store, all tries together. */
const DEADLINE_MS = 15_000;

/**
 * What the stores say, by one GetObject for each head.
 *
 * @throws FallbackError `invalid` for settings that cannot work; the signal's abort
 */
export async function readStatus(parts: DependencyContainer, signal: AbortSignal): Promise<StatusReport> {
  const get = getter(parts);
  const { settings } = get(Part.settings);
  const { cluster } = settings;
  const [clock, trust, stores] = [get(Part.clock), get(Part.trust), await get(Part.stores)];
  const options = { trust, clock, deadlineMs: DEADLINE_MS, signal };
  const lines = await Promise.all(
    lineVersions(get).map(async (gatewayVersion) => ({
      gatewayVersion,
      heads: await readLine({ cluster, gatewayVersion }, stores, options),
    })),
  );
  const interval = confirmIntervalMs(settings.export.confirmSchedule);
  return statusReport(cluster, lines, { confirmIntervalMs: interval, now: clock.now() });
}
