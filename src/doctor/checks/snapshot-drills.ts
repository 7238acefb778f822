import type { ServiceDrill, ShownFinding } from '../../observe/metrics-state.ts';
import type { Observation } from '../observation.ts';

export interface DrillsSeen {
  readonly drills: readonly (ServiceDrill & { readonly documentBytes: number | null })[];
  readonly findings: readonly ShownFinding[];
  /** Fetched whole, and no key of this exporter opens them: it needs none (age recipients, kms:Encrypt alone). */
  readonly sealedAway: readonly ServiceDrill[];
}

/** The whole restore, thrown away: the keys held here open what is stored. */
export function snapshotDrills({ drills, findings, sealedAway }: DrillsSeen): Observation[] {
  const passed = drills
    .filter(({ verdict }) => verdict === 'passed')
    .map(({ documentBytes, gatewayVersion, store, timings }): Observation => {
      const ms = Math.round(timings.resolveMs + timings.fetchMs + timings.openMs);
      const from = store === null ? 'the cache' : `storage ${store}`;
      const message = `gateway ${gatewayVersion} from ${from}: ${documentBytes} bytes restored and opened in ${ms} ms`;
      return { severity: 'ok', code: 'snapshot-opens', message };
    });
  const wrong = findings.map(
    ({ code, hint, message, severity }): Observation => ({
      severity: severity === 'critical' ? 'error' : 'warning',
      code,
      message,
      hint: hint ?? 'kongfallback drill says more.',
    }),
  );
  const unopened = sealedAway.map(({ gatewayVersion, store }): Observation => {
    const message = `gateway ${gatewayVersion} from storage ${store}: fetched whole; this exporter holds no key that opens it, and needs none`;
    return { severity: 'ok', code: 'snapshot-sealed-away', message };
  });
  return [...passed, ...unopened, ...wrong];
}
