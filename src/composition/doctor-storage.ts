import type { LoadedEntry } from '../config/index.ts';
import { clockOffset } from '../doctor/checks/clock-offset.ts';
import { conditionalWrites } from '../doctor/checks/conditional-writes.ts';
import { sealingWorks } from '../doctor/checks/sealing-works.ts';
import { snapshotDrills } from '../doctor/checks/snapshot-drills.ts';
import { snapshotLines } from '../doctor/checks/snapshot-lines.ts';
import { storeInspection } from '../doctor/checks/store-inspection.ts';
import { writerRights } from '../doctor/checks/writer-rights.ts';
import type { Observation } from '../doctor/observation.ts';
import type { Check } from '../doctor/run-checks.ts';
import { codeOf } from '../errors/index.ts';
import { withDeadline } from '../resilience/index.ts';
import type { GuardedStore } from '../snapshot/guarded-store.ts';
import type { DrillResult } from '../status/drill.ts';
import { drillFindings } from '../status/drill-findings.ts';
import type { StatusReport } from '../status/report.ts';
import { pluginDependencies } from './common-parts.ts';
import type { DoctorSite } from './doctor-site.ts';
import { runDrill } from './drill.ts';
import { Part } from './parts.ts';
import { createPlugin } from './plugin-create.ts';
import type { Get } from './tokens.ts';

/** For one store: a handful of requests, each with its own deadline and retries. */
const STORE_MS = 90_000;
const INSPECT_MS = 15_000;
/** A whole restore from each store, one after the other. */
const DRILL_MS = 600_000;

/** @param status what the stores hold, read once for all checks */
export function storageChecks(site: DoctorSite, status: (() => Promise<StatusReport>) | undefined): Check[] {
  const { get, loaded, role, storeFaults, stores, whole } = site;
  const entryOf = (store: GuardedStore) => loaded.entries.storages.find(({ id }) => id === store.id);
  return [
    { area: 'storage', name: 'storages', look: () => storeFaults },
    ...stores.flatMap((store) => {
      const entry = entryOf(store);
      if (entry === undefined) return [];
      const rights: Check = {
        area: 'storage',
        name: `rights on storage ${store.id}`,
        deadlineMs: STORE_MS,
        look: (signal) => asWriter(store, entry.singleWriter, get, signal),
      };
      const itself: Check = {
        area: 'storage',
        name: `storage ${store.id} itself`,
        deadlineMs: STORE_MS,
        look: (signal) => inspected(site, entry, signal),
      };
      return role === 'exporter' ? [rights, itself] : [itself];
    }),
    ...(status === undefined ? [] : snapshotChecks(site, status)),
    ...(whole && role === 'exporter'
      ? [
          {
            area: 'keys and certificates' as const,
            name: 'encryption',
            look: async (signal: AbortSignal) => sealingWorks(await get(Part.sealing), signal),
          },
        ]
      : []),
  ];
}

function snapshotChecks(site: DoctorSite, status: () => Promise<StatusReport>): Check[] {
  const { get, loaded, role, whole } = site;
  const { maxAgeSeconds } = loaded.settings.bootstrap;
  const maxAgeMs = role === 'node' && maxAgeSeconds !== undefined ? maxAgeSeconds * 1000 : undefined;
  const lines: Check = {
    area: 'snapshots',
    name: 'heads',
    deadlineMs: STORE_MS,
    look: async () => snapshotLines(await status(), role, maxAgeMs),
  };
  const clocks: Check = {
    area: 'clock',
    name: 'clocks of the storages',
    deadlineMs: STORE_MS,
    look: async () => storeClocks(await status()),
  };
  const drills: Check = {
    area: 'snapshots',
    name: 'drill',
    deadlineMs: DRILL_MS,
    look: async (signal) => {
      // What is not there, or not to be believed, has been said; restoring it would say it again.
      const { lines: held } = await status();
      if (!held.some(({ heads }) => heads.some(({ state }) => state === 'verified'))) return [];
      const results = await runDrill(get, signal);
      const sealedAway = role === 'exporter' ? results.filter(isSealedAway) : [];
      const drills = results.filter((result) => !sealedAway.includes(result));
      return snapshotDrills({ drills, findings: drillFindings(drills), sealedAway });
    },
  };
  return whole ? [lines, clocks, drills] : [lines, clocks];
}

async function asWriter(
  store: GuardedStore,
  singleWriter: boolean,
  get: Get,
  signal: AbortSignal,
): Promise<readonly Observation[]> {
  const options = { random: get(Part.random), signal };
  // Without a request: such a store is not written to.
  if (store.capabilities.conditionalPut !== true && !singleWriter) {
    return conditionalWrites(store, singleWriter, options);
  }
  const rights = await writerRights(store, options);
  if (rights.some(({ code }) => code === 'storage-put-fails' || code === 'storage-not-conditional'))
    return rights;
  return [...rights, ...(await conditionalWrites(store, singleWriter, options))];
}

/** Of the errors of a restore the one behind it tells. */
function isSealedAway({ error }: DrillResult): boolean {
  return (
    (codeOf(error) === 'KF_RESTORE_FAILED' ? codeOf(error?.cause) : codeOf(error)) === 'KF_ENCRYPTION_DENIED'
  );
}

/** By an instance of its own, outside of the guard: nothing of it is in a flow. */
async function inspected(
  { get, role }: DoctorSite,
  entry: LoadedEntry,
  signal: AbortSignal,
): Promise<Observation[]> {
  const as = role === 'exporter' ? 'writer' : 'reader';
  const store = await createPlugin('storage', entry, pluginDependencies(get));
  try {
    return await withDeadline(
      get(Part.clock),
      INSPECT_MS,
      signal,
      `storage ${entry.id}: look at the store itself`,
      (inner) => storeInspection(entry.id, store, { prefix: entry.prefix, as, signal: inner }),
    );
  } finally {
    await store.close?.();
  }
}

/** One answer of each store is enough. */
function storeClocks({ lines }: StatusReport): Observation[] {
  const offsets = new Map<string, number>();
  for (const { head, store } of lines.flatMap(({ heads }) => heads)) {
    const offsetMs = head?.clockOffsetMs ?? undefined;
    if (offsetMs !== undefined && !offsets.has(store)) offsets.set(store, offsetMs);
  }
  return [...offsets].flatMap(([store, offsetMs]) => clockOffset(`storage ${store}`, offsetMs));
}
