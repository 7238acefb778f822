import type { HealthStatus } from '../observe/metrics-state.ts';
import type { Observation } from './observation.ts';

export type DoctorRole = 'exporter' | 'node' | 'relay';

/** In the order in which they are shown. */
export const AREAS = [
  'machine',
  'settings',
  'keys and certificates',
  'clock',
  'names',
  'control plane',
  'storage',
  'snapshots',
  'disk and ports',
  'gateway',
] as const;

export type Area = (typeof AREAS)[number];

export type Diagnosis = Observation & { readonly area: Area };

/** What `kongfallback doctor` tells. */
export interface DoctorReport {
  readonly status: HealthStatus;
  readonly role: DoctorRole;
  /** ISO 8601. */
  readonly at: string;
  readonly results: readonly Diagnosis[];
}

export function doctorReport(role: DoctorRole, results: readonly Diagnosis[], now: number): DoctorReport {
  const order = (area: Area): number => AREAS.indexOf(area);
  return {
    status: statusOf(results),
    role,
    at: new Date(now).toISOString(),
    results: [...results].sort((a, b) => order(a.area) - order(b.area)),
  };
}

function statusOf(results: readonly Diagnosis[]): HealthStatus {
  if (results.some(({ severity }) => severity === 'error')) return 'failed';
  return results.some(({ severity }) => severity === 'warning') ? 'degraded' : 'ok';
}
