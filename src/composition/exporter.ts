import { setMaxListeners } from 'node:events';
import type { DependencyContainer } from 'tsyringe';
import type { LoadedSettings } from '../config/index.ts';
import { confirmIntervalMs } from '../export/confirm-interval.ts';
import { LineFollower } from '../export/follow.ts';
import { Housekeeping } from '../export/housekeeping.ts';
import { LearntVersions, type SeenGateway } from '../export/learnt-versions.ts';
import { type LineState, LineStatus } from '../export/line-status.ts';
import { exportOnce, type OnceOptions } from '../export/once.ts';
import type { ExportOutcome } from '../export/outcome.ts';
import type { LinePipeline } from '../export/pipeline.ts';
import { Resealing } from '../export/reseal.ts';
import type { StandingFinding } from '../observe/index.ts';
import type { Logger } from '../plugin/plugin.ts';
import type { Source } from '../plugin/source.ts';
import { ExporterHealth } from '../service/health-exporter.ts';
import { Schedule } from '../service/schedule.ts';
import { commonParts, pluginDependencies } from './common-parts.ts';
import { scheduleDrills } from './drill-schedule.ts';
import { createLines, exportedVersions, lineMaker } from './export-lines.ts';
import { startHttpService } from './http-service.ts';
import { Part } from './parts.ts';
import { createPlugin } from './plugin-create.ts';
import { type Get, get as getter, provide } from './tokens.ts';

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
  #learnt: LearntVersions | undefined;

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
    const versions = exportedVersions(this.#get);
    const lineOf = await lineMaker(this.#get, stop);
    const followers = new Set<LineFollower>();
    const begin = (line: LinePipeline): LineFollower => {
      const status = new LineStatus(line.settings.gatewayVersion, clock.now());
      this.#statuses.push(status);
      const housekeeping = new Housekeeping(line, { clock, log, findings });
      const resealing = new Resealing(line, { sealing, authenticated, clock, log, findings });
      const follower = new LineFollower(
        line,
        { delayMs: settings.export.delaySeconds * 1000, graceMs: GRACE_MS },
        {
          source: announcing(source, learnt),
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
      followers.add(follower);
      return follower;
    };
    const learnt = new LearntVersions({
      known: versions,
      follow: async (gatewayVersion, over) => {
        const follower = begin(lineOf(gatewayVersion));
        try {
          await follower.run(AbortSignal.any([stop, over]));
        } finally {
          followers.delete(follower);
          const at = this.#statuses.findIndex(({ state }) => state.gatewayVersion === gatewayVersion);
          this.#statuses.splice(at, 1);
        }
      },
      clock,
      log,
      findings,
    });
    this.#learnt = learnt;
    const following = versions.map((version) => begin(lineOf(version)));
    const { confirmSchedule } = settings.export;
    const jitterMs = Math.min(
      CONFIRM_JITTER.mostMs,
      CONFIRM_JITTER.share * confirmIntervalMs(confirmSchedule),
    );
    const drills = scheduleDrills(this.#get, (result) => health.drilled(result), stop);
    const schedule = new Schedule({ expression: confirmSchedule, name: 'confirm', jitterMs, log }, () => {
      learnt.forget();
      for (const follower of followers) follower.confirm();
      health.look();
    });
    log.info(
      { event: 'export.started', gatewayVersions: settings.gatewayVersions },
      'the exporter follows the control plane',
    );
    try {
      await Promise.all(following.map((follower) => follower.run(stop)));
    } finally {
      this.#learnt = undefined;
      await learnt.close();
      await schedule.stop();
      await drills?.stop();
      log.info({ event: 'export.stopped' }, 'the exporter has stopped');
    }
  }

  /**
   * Somebody saw a data plane. While this runs, a version that the settings do not name gets a line of its own, and
   * plugins that are not listed are announced to the control plane with the next session.
   */
  learn(seen: SeenGateway): void {
    this.#learnt?.learn(seen);
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

/** The control plane sends nothing to whoever lacks a plugin that is configured: what data planes have is announced. */
const announcing = (source: Source, learnt: LearntVersions): Source => ({
  open: (options) => source.open({ ...options, plugins: learnt.pluginsOf(options.gatewayVersion) }),
});
