import { FallbackError } from '../errors/index.ts';
import { confirmIntervalMs } from '../export/confirm-interval.ts';
import { Schedule } from '../service/schedule.ts';
import type { DrillResult } from '../status/drill.ts';
import { drillFindings } from '../status/drill-findings.ts';
import { runDrill } from './drill.ts';
import { Part } from './parts.ts';
import type { Get } from './tokens.ts';

/** Spreads the exporters of a fleet, which read from the same stores. */
const JITTER = { share: 0.1, mostMs: 60_000 };

/**
 * Drills on `service.drillSchedule`, and tells of each result.
 *
 * @returns undefined when none is set
 * @throws FallbackError `invalid` KF_SCHEDULE_INVALID
 */
export function scheduleDrills(
  get: Get,
  onResult: (result: DrillResult) => void,
  stop: AbortSignal,
): Schedule | undefined {
  const { drillSchedule } = get(Part.settings).settings.service;
  if (drillSchedule === undefined) return undefined;
  const [log, findings] = [get(Part.log), get(Part.findings)];
  const run = async (): Promise<void> => {
    if (stop.aborted) return;
    const results = await runDrill(get, stop).catch((thrown: unknown) => {
      if (stop.aborted) return [];
      throw thrown;
    });
    const wrong = drillFindings(results);
    for (const result of results) {
      onResult(result);
      const { gatewayVersion, store, verdict, sequence, timings } = result;
      log.info(
        { event: 'drill.done', gatewayVersion, store, verdict, sequence, ...timings },
        `drill: ${verdict}`,
      );
      const about = `${gatewayVersion} ${store ?? '(cache)'}`;
      for (const code of ['drill-failed', 'drill-older']) {
        const found = wrong.find((finding) => finding.code === code && finding.about === about);
        if (found === undefined) findings.clear(code, about);
        else findings.raise(found);
      }
    }
  };
  const jitterMs = Math.min(JITTER.mostMs, JITTER.share * intervalMs(drillSchedule));
  return new Schedule({ expression: drillSchedule, name: 'drill', jitterMs, log }, run);
}

function intervalMs(schedule: string): number {
  try {
    return confirmIntervalMs(schedule);
  } catch (cause) {
    throw new FallbackError(
      'invalid',
      'KF_SCHEDULE_INVALID',
      `service.drillSchedule: ${JSON.stringify(schedule)} never runs`,
      { cause, hint: 'Give a cron expression in UTC, such as "30 4 * * *" for every night.' },
    );
  }
}
