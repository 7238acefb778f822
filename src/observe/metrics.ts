// Prometheus metrics of one service. Nothing is kept here but durations: each scrape is made from the state of then.
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { Counter, Gauge, Histogram } from 'prom-client';
import { DURATION_BUCKETS, METRICS, type MetricDescription, type MetricName } from './metrics-catalogue.ts';
import { relaySeries, type Series } from './metrics-relay.ts';
import {
  findingsOf,
  type HeadState,
  healthOf,
  type ServiceDrill,
  type ServiceLine,
  type ServiceState,
} from './metrics-state.ts';

type PromClient = typeof import('prom-client');
type Labels = Readonly<Record<string, string>>;

/** A head may name any number of collections; a time series each would be theirs to make. */
const MOST_COLLECTIONS = 64;
const MOST_LABEL_CHARACTERS = 128;
const LAG_QUANTILES = [50, 99, 100] as const;
const LAG_RESOLUTION_MS = 20;

const STATES = {
  health: ['ok', 'degraded', 'failed'],
  controlPlane: ['unknown', 'up', 'down'],
  head: ['verified', 'missing', 'refused', 'unreadable', 'unknown'],
  breaker: ['closed', 'open', 'half-open'],
  origin: ['control-plane', 'storage', 'cache', 'node', 'none'],
  drill: ['passed', 'older', 'empty', 'failed'],
} as const;

export class Metrics {
  readonly #registry: InstanceType<PromClient['Registry']>;
  readonly #gauges = new Map<string, Gauge>();
  readonly #counters = new Map<string, Counter>();
  readonly #withoutLabels: (Gauge | Counter)[] = [];
  readonly #durations: Histogram;
  readonly #lag: IntervalHistogram = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  readonly #version: string;

  constructor({ Registry, Counter, Gauge, Histogram }: PromClient, version: string) {
    this.#version = version;
    this.#registry = new Registry();
    const registers = [this.#registry];
    const described: readonly [string, MetricDescription][] = Object.entries(METRICS);
    for (const [name, { type, labels, help, perRole }] of described) {
      const labelNames = perRole === true ? [...labels, 'role'] : labels;
      const options = { name, help, labelNames, registers };
      if (type === 'gauge') this.#gauges.set(name, new Gauge(options));
      if (type === 'counter') this.#counters.set(name, new Counter(options));
      const made = this.#gauges.get(name) ?? this.#counters.get(name);
      if (made !== undefined && labelNames.length === 0) this.#withoutLabels.push(made);
    }
    const { labels: labelNames, help } = METRICS.kongfallback_export_duration_seconds;
    this.#durations = new Histogram({
      name: 'kongfallback_export_duration_seconds',
      help,
      labelNames,
      buckets: DURATION_BUCKETS,
      registers,
    });
    this.#lag.enable();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** A configuration was settled: published, confirmed, refused. */
  exported(gatewayVersion: string, outcome: string, durationMs: number): void {
    this.#durations.observe({ gateway_version: gatewayVersion, outcome }, durationMs / 1000);
  }

  /**
   * In the text format of Prometheus.
   *
   * @param states of each role of the process
   */
  render(states: readonly ServiceState[], now: number): Promise<string> {
    for (const metric of [...this.#gauges.values(), ...this.#counters.values()]) metric.reset();
    // These begin again at 0, which nobody measured.
    for (const metric of this.#withoutLabels) metric.remove();
    this.#process(states);
    this.#service(states);
    for (const state of states) this.#role(state, states.length > 1 ? { role: state.role } : {}, now);
    // From here on every value is fixed: another scrape that begins meanwhile sets them to the same state or a later one.
    return this.#registry.metrics();
  }

  close(): void {
    this.#lag.disable();
    this.#registry.clear();
  }

  #process(states: readonly ServiceState[]): void {
    for (const { role, cluster } of states) {
      const labels = { version: this.#version, node_version: process.version, role, cluster };
      this.#set('kongfallback_build_info', 1, labels);
    }
    const startedAt = Math.min(...states.map((state) => state.startedAt));
    this.#set('kongfallback_process_start_timestamp_seconds', startedAt / 1000);
    const { user, system } = process.cpuUsage();
    this.#count('kongfallback_process_cpu_seconds_total', (user + system) / 1e6);
    this.#set('kongfallback_process_resident_memory_bytes', process.memoryUsage.rss());
    for (const percentile of LAG_QUANTILES) {
      const lag = Math.max(0, this.#lag.percentile(percentile) / 1e9 - LAG_RESOLUTION_MS / 1000);
      this.#set('kongfallback_process_event_loop_lag_seconds', lag, { quantile: String(percentile / 100) });
    }
    this.#lag.reset();
  }

  #service(states: readonly ServiceState[]): void {
    const findings = findingsOf(states);
    this.#oneOf('kongfallback_service_health_state', STATES.health, healthOf(findings), {});
    this.#set('kongfallback_service_ready_state', states.every(({ notReady }) => notReady === null) ? 1 : 0);
    for (const { code, severity } of findings) {
      this.#gauges.get('kongfallback_service_standing_findings')?.inc({ code, severity });
    }
  }

  /** @param role added to what another role of this process tells as well */
  #role(state: ServiceState, role: Labels, now: number): void {
    for (const line of state.lines) this.#line(line, role, now);
    for (const { store, breaker, requests, bytesUp, bytesDown } of state.stores) {
      // Roles of one process count their own requests: these are added up.
      for (const [operation, count] of Object.entries(requests)) {
        this.#count('kongfallback_store_requests_total', count, { store, operation });
      }
      for (const [direction, bytes] of Object.entries({ up: bytesUp, down: bytesDown })) {
        this.#count('kongfallback_store_transferred_bytes_total', bytes, { store, direction });
      }
      this.#oneOf('kongfallback_store_breaker_state', STATES.breaker, breaker, { store, ...role });
    }
    for (const drill of state.drills) this.#drill(drill, role, now);
    if (state.relay !== undefined) relaySeries(state.relay, this.#series, now);
    if (state.origin !== null) {
      const { origin, since } = state.origin;
      this.#oneOf('kongfallback_origin_state', STATES.origin, origin, role, 'origin');
      this.#set('kongfallback_origin_state_age_seconds', age(now, since), { origin, ...role });
    }
  }

  #line({ gatewayVersion, controlPlane, heads, exports }: ServiceLine, role: Labels, now: number): void {
    const version = { gateway_version: gatewayVersion };
    const line = { ...version, ...role };
    this.#oneOf('kongfallback_control_plane_state', STATES.controlPlane, controlPlane.state, line);
    this.#set('kongfallback_control_plane_state_age_seconds', age(now, controlPlane.since), line);
    this.#set('kongfallback_control_plane_open_sessions', controlPlane.connected ? 1 : 0, line);
    for (const head of heads) this.#head(line, head);
    this.#configuration(line, heads, now);
    if (exports === null) return;
    for (const [outcome, count] of Object.entries(exports.outcomes)) {
      this.#count('kongfallback_export_outcomes_total', count, { ...version, outcome });
    }
    const { blockedSince, pendingSince } = exports;
    this.#set('kongfallback_export_blocked_age_seconds', age(now, blockedSince ?? now), version);
    this.#set('kongfallback_export_pending_age_seconds', age(now, pendingSince ?? now), version);
  }

  #head(line: Labels, { store, state, head }: HeadState): void {
    const labels = { ...line, store };
    this.#oneOf('kongfallback_head_readable_state', STATES.head, state, labels);
    if (head === null) return;
    this.#set('kongfallback_head_alive_age_seconds', head.aliveAgeMs / 1000, labels);
    this.#set('kongfallback_head_confirmed_age_seconds', head.confirmedAgeMs / 1000, labels);
    this.#set('kongfallback_head_sequence_number', head.sequence, labels);
    this.#set('kongfallback_head_listed_snapshots', head.snapshots, labels);
  }

  /** Of the head that readers would use. */
  #configuration(line: Labels, heads: readonly HeadState[], now: number): void {
    const [best] = heads
      .flatMap(({ head }) => (head === null ? [] : [head]))
      .sort((a, b) => b.sequence - a.sequence);
    if (best === undefined) return;
    const { counts, documentBytes, loadableUntil } = best.current;
    for (const [index, [collection, entities]] of Object.entries(counts).entries()) {
      const name = index < MOST_COLLECTIONS ? collection.slice(0, MOST_LABEL_CHARACTERS) : 'other';
      this.#gauges.get('kongfallback_configuration_entities')?.inc({ ...line, collection: name }, entities);
    }
    this.#set('kongfallback_configuration_document_bytes', documentBytes, line);
    if (loadableUntil !== null) {
      const seconds = Date.parse(loadableUntil) / 1000;
      this.#set('kongfallback_configuration_loadable_until_timestamp_seconds', seconds, line);
    }
    const { hold } = best;
    const held = hold !== null && (hold.until === null || Date.parse(hold.until) > now);
    this.#set('kongfallback_configuration_hold_state', held ? 1 : 0, line);
  }

  #drill({ gatewayVersion, store, verdict, at, timings }: ServiceDrill, role: Labels, now: number): void {
    const labels = { gateway_version: gatewayVersion, store: store ?? '(cache)', ...role };
    this.#oneOf('kongfallback_drill_verdict_state', STATES.drill, verdict, labels, 'verdict');
    this.#set('kongfallback_drill_age_seconds', age(now, at), labels);
    const { resolveMs, fetchMs, openMs } = timings;
    for (const [step, ms] of Object.entries({ resolve: resolveMs, fetch: fetchMs, open: openMs })) {
      this.#set('kongfallback_drill_duration_seconds', ms / 1000, { ...labels, step });
    }
  }

  get #series(): Series {
    return {
      set: (...series) => this.#set(...series),
      count: (...series) => this.#count(...series),
      oneOf: (...series) => this.#oneOf(...series),
    };
  }

  #set(name: MetricName, value: number, labels: Labels = {}): void {
    this.#gauges.get(name)?.set(labels, value);
  }

  #count(name: MetricName, total: number, labels: Labels = {}): void {
    this.#counters.get(name)?.inc(labels, total);
  }

  /** A series for each state, so that a change is seen as 1 and 0 and not as a series that ends. */
  #oneOf(
    name: MetricName,
    states: readonly string[],
    current: string,
    labels: Labels,
    label = 'state',
  ): void {
    for (const state of states) this.#set(name, state === current ? 1 : 0, { ...labels, [label]: state });
  }
}

/** prom-client is loaded here: only a long-running process needs it. */
export const createMetrics = async (version: string): Promise<Metrics> =>
  new Metrics(await import('prom-client'), version);

const age = (now: number, since: number): number => Math.max(0, now - since) / 1000;
