import { randomBytes } from 'node:crypto';
import { FallbackError } from '../errors/index.ts';
import { confirmIntervalMs } from '../export/confirm-interval.ts';
import { LinePipeline } from '../export/pipeline.ts';
import { prepareWith } from '../export/prepare-step.ts';
import { usableStores } from '../export/usable-stores.ts';
import { SnapshotStore } from '../snapshot/snapshot-store.ts';
import { Part } from './parts.ts';
import type { Get } from './tokens.ts';

/** Past this, a worker that prepares a document is terminated: 1.3 million entities take it about 30 s. */
const PREPARE_DEADLINE_MS = 300_000;

/**
 * The gateway versions that the settings ask for.
 *
 * @throws FallbackError `invalid` KF_NO_GATEWAY_VERSION
 */
export function exportedVersions(get: Get): readonly string[] {
  const { gatewayVersions } = get(Part.settings).settings;
  if (gatewayVersions.length > 0) return gatewayVersions;
  throw new FallbackError('invalid', 'KF_NO_GATEWAY_VERSION', 'no gateway version to export for', {
    hint: 'Set gatewayVersions to the exact versions of the data planes, as `kong version` prints them: ["3.9.1"].',
  });
}

/** One line per gateway version that the settings name. */
export async function createLines(get: Get, signal: AbortSignal): Promise<readonly LinePipeline[]> {
  return exportedVersions(get).map(await lineMaker(get, signal));
}

/** What makes the line of any version: its stores are probed once. */
export async function lineMaker(
  get: Get,
  signal: AbortSignal,
): Promise<(gatewayVersion: string) => LinePipeline> {
  const { settings, entries } = get(Part.settings);
  const [trust, clock, log, random] = [get(Part.trust), get(Part.clock), get(Part.log), get(Part.random)];
  const unprobed = (await get(Part.stores)).map((store, index) => ({
    store,
    singleWriter: entries.storages[index]?.singleWriter === true,
  }));
  const stores = await usableStores(unprobed, random, log, signal);
  const shared = {
    sealing: await get(Part.sealing),
    prepare: prepareWith(get(Part.worker), {
      clock,
      maxDocumentBytes: settings.limits.maxDocumentBytes,
      deadlineMs: PREPARE_DEADLINE_MS,
    }),
    nonce: () => randomBytes(16).toString('hex'),
    signers: get(Part.signers),
    clock,
    random,
    log,
  };
  const { cluster } = settings;
  const common = {
    cluster,
    writer: settings.export.instance,
    marginMs: settings.export.evidenceMarginSeconds * 1000,
    confirmIntervalMs: confirmIntervalMs(settings.export.confirmSchedule),
    keep: settings.export.keep,
    successPolicy: settings.export.successPolicy,
    maxSealedBytes: settings.limits.maxSealedBytes,
  };
  return (gatewayVersion) => {
    const lineStores = stores.map((store) => {
      const seen = get(Part.heads).watch(store, { cluster, gatewayVersion });
      return new SnapshotStore(seen, { cluster, gatewayVersion, trust });
    });
    return new LinePipeline({ ...common, gatewayVersion }, { ...shared, stores: lineStores });
  };
}
