import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { DependencyContainer } from 'tsyringe';
import type { LoadedSettings } from '../config/index.ts';
import { FallbackError } from '../errors/index.ts';
import { confirmIntervalMs } from '../export/confirm-interval.ts';
import { LineFollower } from '../export/follow.ts';
import { Housekeeping } from '../export/housekeeping.ts';
import { type LineState, LineStatus } from '../export/line-status.ts';
import { exportOnce, type OnceOptions } from '../export/once.ts';
import type { ExportOutcome } from '../export/outcome.ts';
import { LinePipeline } from '../export/pipeline.ts';
import { prepareWith } from '../export/prepare-step.ts';
import { Resealing } from '../export/reseal.ts';
import { usableStores } from '../export/usable-stores.ts';
import type { StandingFinding } from '../observe/index.ts';
import type { Logger } from '../plugin/plugin.ts';
import { ExporterHealth } from '../service/health-exporter.ts';
import { Schedule } from '../service/schedule.ts';
import { SnapshotStore } from '../snapshot/snapshot-store.ts';
import { commonParts, pluginDependencies } from './common-parts.ts';
import { scheduleDrills } from './drill-schedule.ts';
import { startHttpService } from './http-service.ts';
import { Part } from './parts.ts';
import { createPlugin } from './plugin-create.ts';
import { type Get, get as getter, provide } from './tokens.ts';

/** Past this, a worker that prepares a document is terminated: 1.3 million entities take it about 30 s. */
const PREPARE_DEADLINE_MS = 300_000;

const CLOSE_DEADLINE_MS = 5000;
/** What is being published when the service stops may take this long. */
const GRACE_MS = 15_000;
/** Spreads the exporters of a fleet, and is small against the interval. */
const CONFIRM_JITTER = { share: 0.1, mostMs: 5000 };

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

export type LineResult =
  | { readonly gatewayVersion: string; readonly outcome: ExportOutcome }
  | { readonly gatewayVersion: string; readonly error: unknown };

/** The backup node's work, for the command line and for programs that embed it. */
export class Exporter {
  readonly #get: Get;
  readonly #statuses: LineStatus[] = [];

  constructor(container: DependencyContainer) {
    this.#get = getter(container);
  }

  /**
   * Receives one configuration for each gateway version and brings the stores up to it. A line that fails keeps no
   * other from being exported; after an abort the remaining ones are left out.
   *
   * @throws FallbackError `invalid` for settings that cannot work
   */
  async once(options: OnceOptions): Promise<readonly LineResult[]> {
    const [source, clock, log] = [await this.#get(Part.source), this.#get(Part.clock), this.#get(Part.log)];
    const results: LineResult[] = [];
    for (const line of await createLines(this.#get, options.signal)) {
      const { gatewayVersion } = line.settings;
      const result = exportOnce(line, { source, clock, log }, options);
      results.push(
        await result.then(
          (outcome) => ({ gatewayVersion, outcome }),
          (error: unknown) => ({ gatewayVersion, error }),
        ),
      );
      if (options.signal.aborted) break;
    }
    return results;
  }

  /**
   * Follows every line until the signal fires: publishes each change, confirms on schedule. Stops within the grace of
   * what is being published.
   *
   * @throws FallbackError `invalid` for settings that cannot work; nothing that happens later
   */
  async run(until: AbortSignal): Promise<void> {
    const stop = AbortSignal.any([until]);
    // Every call and pause under way listens to it; sixteen stores and their pauses are no leak.
    setMaxListeners(0, stop);
    const { settings } = this.#get(Part.settings);
    const [clock, log, random] = [this.#get(Part.clock), this.#get(Part.log), this.#get(Part.random)];
    const [source, findings] = [await this.#get(Part.source), this.#get(Part.findings)];
    const [sealing, authenticated] = [await this.#get(Part.sealing), this.#get(Part.trust).keyIds.length > 0];
    const health = await this.#health();
    const metrics = await startHttpService(this.#get, () => health.look());
    const followers = (await createLines(this.#get, stop)).map((line) => {
      const status = new LineStatus(line.settings.gatewayVersion, clock.now());
      this.#statuses.push(status);
      const housekeeping = new Housekeeping(line, { clock, log, findings });
      const resealing = new Resealing(line, { sealing, authenticated, clock, log, findings });
      return new LineFollower(
        line,
        { delayMs: settings.export.delaySeconds * 1000, graceMs: GRACE_MS },
        {
          source,
          clock,
          random,
          log,
          findings,
          status,
          housekeep: async (signal, heads) => {
            // Every configuration that was settled comes by here.
            health.look();
            const { gatewayVersion, lastOutcome, lastExportMs } = status.state;
            if (lastOutcome !== null && lastExportMs !== null)
              metrics?.exported(gatewayVersion, lastOutcome, lastExportMs);
            await housekeeping.run(signal);
            return resealing.run(heads, signal);
          },
        },
      );
    });
    const { confirmSchedule } = settings.export;
    const jitterMs = Math.min(
      CONFIRM_JITTER.mostMs,
      CONFIRM_JITTER.share * confirmIntervalMs(confirmSchedule),
    );
    const drills = scheduleDrills(this.#get, (result) => health.drilled(result), stop);
    const schedule = new Schedule({ expression: confirmSchedule, name: 'confirm', jitterMs, log }, () => {
      for (const follower of followers) follower.confirm();
      health.look();
    });
    log.info(
      { event: 'export.started', gatewayVersions: settings.gatewayVersions },
      'the exporter follows the control plane',
    );
    try {
      await Promise.all(followers.map((follower) => follower.run(stop)));
    } finally {
      await schedule.stop();
      await drills?.stop();
      log.info({ event: 'export.stopped' }, 'the exporter has stopped');
    }
  }

  async #health(): Promise<ExporterHealth> {
    const { settings } = this.#get(Part.settings);
    return new ExporterHealth({
      cluster: settings.cluster,
      statuses: this.#statuses,
      heads: this.#get(Part.heads),
      findings: this.#get(Part.findings),
      stores: await this.#get(Part.stores),
      breakers: this.#get(Part.breakers),
      confirmIntervalMs: confirmIntervalMs(settings.export.confirmSchedule),
      clock: this.#get(Part.clock),
    });
  }

  /** A snapshot of what is known of each line that `run` follows. */
  status(): readonly LineState[] {
    return this.#statuses.map(({ state }) => state);
  }

  findings(): readonly StandingFinding[] {
    return this.#get(Part.findings).list();
  }

  /** Closes everything in the reverse order of building, each within 5 s. */
  close(): Promise<void> {
    return this.#get(Part.lifecycle).close(this.#get(Part.clock), this.#get(Part.log), CLOSE_DEADLINE_MS);
  }
}

/** One line per gateway version that the settings name. */
export async function createLines(get: Get, signal: AbortSignal): Promise<readonly LinePipeline[]> {
  const { settings, entries } = get(Part.settings);
  if (settings.gatewayVersions.length === 0) {
    throw new FallbackError('invalid', 'KF_NO_GATEWAY_VERSION', 'no gateway version to export for', {
      hint: 'Set gatewayVersions to the exact versions of the data planes, as `kong version` prints them: ["3.9.1"].',
    });
  }
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
  return settings.gatewayVersions.map((gatewayVersion) => {
    const lineStores = stores.map((store) => {
      const seen = get(Part.heads).watch(store, { cluster, gatewayVersion });
      return new SnapshotStore(seen, { cluster, gatewayVersion, trust });
    });
    return new LinePipeline({ ...common, gatewayVersion }, { ...shared, stores: lineStores });
  });
}
