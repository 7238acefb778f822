import { nodeVersion } from '../doctor/checks/node-version.ts';
import { type DoctorReport, type DoctorRole, doctorReport } from '../doctor/report.ts';
import { type Check, runChecks } from '../doctor/run-checks.ts';
import { systemClock } from '../resilience/index.ts';
import type { StatusReport } from '../status/report.ts';
import { controlPlaneChecks } from './doctor-control-plane.ts';
import { folderChecks } from './doctor-folders.ts';
import { gatewayChecks } from './doctor-gateway.ts';
import { machineChecks } from './doctor-machine.ts';
import { remainingChecks } from './doctor-remains.ts';
import { type DoctorPlaces, doctorSettings } from './doctor-settings.ts';
import { type DoctorSite, openDoctorSite } from './doctor-site.ts';
import { storageChecks } from './doctor-storage.ts';
import { readStatus } from './status.ts';

export interface Diagnosed {
  readonly report: DoctorReport;
  /** Blanks every secret of the settings. */
  readonly redact: (text: string) => string;
}

/**
 * Everything that a role needs, looked at from here, side by side. What is wrong is in the report.
 *
 * @throws FallbackError only when the signal fires
 */
export async function diagnose(
  role: DoctorRole,
  places: DoctorPlaces,
  signal: AbortSignal,
): Promise<Diagnosed> {
  const { redact, seen, usable } = await doctorSettings(role, places);
  const always: Check[] = [
    { area: 'machine', name: 'Node', look: () => nodeVersion(process.versions.node) },
    { area: 'settings', name: 'settings', look: () => seen },
  ];
  const site = usable === undefined ? undefined : await openDoctorSite(role, usable, places);
  try {
    const checks = [
      ...always,
      ...(site?.whole === true ? [] : remainingChecks(role, places)),
      ...(site === undefined ? [] : siteChecks(site, signal)),
    ];
    const results = await runChecks(checks, { clock: systemClock, signal });
    return { report: doctorReport(role, results, systemClock.now()), redact };
  } finally {
    await site?.close();
  }
}

function siteChecks(site: DoctorSite, signal: AbortSignal): Check[] {
  let read: Promise<StatusReport> | undefined;
  const status = () => {
    // Several checks look at it; the heads are read once.
    read ??= readStatus(site.parts, signal);
    return read;
  };
  const heads = site.versions.length === 0 ? undefined : status;
  return [
    ...machineChecks(site),
    ...folderChecks(site, heads),
    ...controlPlaneChecks(site),
    ...storageChecks(site, heads),
    ...gatewayChecks(site),
  ];
}
