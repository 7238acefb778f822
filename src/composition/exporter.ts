import { randomBytes } from 'node:crypto';
import type { DependencyContainer } from 'tsyringe';
import type { LoadedSettings } from '../config/index.ts';
import { FallbackError } from '../errors/index.ts';
import { confirmIntervalMs } from '../export/confirm-interval.ts';
import { LineExporter } from '../export/pipeline.ts';
import { prepareWith } from '../export/prepare-step.ts';
import { usableStores } from '../export/usable-stores.ts';
import type { Logger } from '../plugin/plugin.ts';
import { SnapshotStore } from '../snapshot/snapshot-store.ts';
import { commonParts, pluginDependencies } from './common-parts.ts';
import { Part } from './parts.ts';
import { createPlugin } from './plugin-create.ts';
import { get as getter, provide } from './tokens.ts';

/** Past this, a worker that prepares a document is terminated: 1.3 million entities take it about 30 s. */
const PREPARE_DEADLINE_MS = 300_000;

/** The exporter's parts list. */
export function exporterParts(loaded: LoadedSettings, log: Logger): DependencyContainer {
  const parts = commonParts(loaded, log);
  provide(parts, Part.source, async (get) => {
    const { entries, settings } = get(Part.settings);
    if (entries.source === undefined) throw new TypeError('settings of an exporter have a source');
    const added = settings.controlPlane && {
      controlPlane: settings.controlPlane,
      instance: settings.export.instance,
    };
    const source = await createPlugin('source', entries.source, {
      ...pluginDependencies(get),
      ...(entries.source.reference.url === null && added && { added }),
    });
    get(Part.lifecycle).opened('source', () => source.close?.());
    return source;
  });
  return parts;
}

/** One exporter per gateway version that the settings name. */
export async function createLineExporters(
  container: DependencyContainer,
  signal: AbortSignal,
): Promise<readonly LineExporter[]> {
  const get = getter(container);
  const { settings, entries } = get(Part.settings);
  if (settings.gatewayVersions.length === 0) {
    throw new FallbackError('invalid', 'KF_NO_GATEWAY_VERSION', 'no gateway version to export for', {
      hint: 'Set gatewayVersions to the exact versions of the data planes, as `kong version` prints them: ["3.9.1"].',
    });
  }
  const [trust, signers, clock, log] = [get(Part.trust), get(Part.signers), get(Part.clock), get(Part.log)];
  const unprobed = (await get(Part.stores)).map((store, index) => ({
    store,
    singleWriter: entries.storages[index]?.singleWriter === true,
  }));
  const stores = await usableStores(unprobed, get(Part.random), log, signal);
  const shared = {
    source: await get(Part.source),
    sealing: await get(Part.sealing),
    prepare: prepareWith(get(Part.worker), {
      clock,
      maxDocumentBytes: settings.limits.maxDocumentBytes,
      deadlineMs: PREPARE_DEADLINE_MS,
    }),
    nonce: () => randomBytes(16).toString('hex'),
    signers,
    clock,
    log,
  };
  const { cluster } = settings;
  return settings.gatewayVersions.map((gatewayVersion) => {
    const lineSettings = {
      cluster,
      gatewayVersion,
      writer: settings.export.instance,
      marginMs: settings.export.evidenceMarginSeconds * 1000,
      confirmIntervalMs: confirmIntervalMs(settings.export.confirmSchedule),
      keepLast: settings.export.keep.last,
      successPolicy: settings.export.successPolicy,
    };
    const lineStores = stores.map((store) => new SnapshotStore(store, { cluster, gatewayVersion, trust }));
    return new LineExporter(lineSettings, { ...shared, stores: lineStores });
  });
}
