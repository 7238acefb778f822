import { afterEach, describe, expect, it } from 'vitest';
import { createMetrics, type Metrics } from '../../../src/observe/metrics.ts';
import { METRICS } from '../../../src/observe/metrics-catalogue.ts';
import type { ServiceState } from '../../../src/observe/metrics-state.ts';
import { headState, NOW, sampleHeadFacts, sampleState } from '../service/sample-state.ts';

const open: Metrics[] = [];

afterEach(() => {
  for (const metrics of open.splice(0)) metrics.close();
});

async function metricsOf(version = '1.2.3'): Promise<Metrics> {
  const metrics = await createMetrics(version);
  open.push(metrics);
  return metrics;
}

const rendered = async (state: ServiceState): Promise<string> => (await metricsOf()).render([state], NOW);

/** Samples of one metric, as written: `{labels} value`. */
const samples = (text: string, name: string): string[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .map((line) => line.slice(name.length).trim());

const FULL = sampleState({
  origin: { origin: 'storage', since: NOW - 5000, reason: 'KF_CP_GONE' },
  relay: {
    verdict: 'down',
    since: NOW - 5000,
    reason: 'KF_CP_GONE',
    message: 'gone',
    address: null,
    breaker: 'open',
    held: 1,
    tunnels: { open: 2, opened: 3 },
    admission: { limit: 1, inFlight: 0, waiting: 0 },
    standIn: { sessions: { served: 4 }, bytesSent: 5, refused: { KF_RELAY_BUSY: 6 } },
    copies: [
      {
        gatewayVersion: '3.9.3',
        sequence: 7,
        origin: 'storage',
        configHash: 'c'.repeat(32),
        asOf: '2026-11-21T11:02:05.000Z',
        checkedAt: NOW,
        frameBytes: 8,
      },
    ],
  },
});

describe('what promtool checks', async () => {
  const metrics = await createMetrics('1.2.3');
  metrics.exported('3.9.3', 'published', 250);
  const text = await metrics.render([FULL], NOW);
  metrics.close();
  const lines = text.trim().split('\n');

  it('each metric has its help and type once, before its samples', () => {
    for (const [name, { type, help }] of Object.entries(METRICS)) {
      expect(lines.filter((line) => line === `# TYPE ${name} ${type}`)).toHaveLength(1);
      expect(lines.filter((line) => line === `# HELP ${name} ${help}`)).toHaveLength(1);
    }
    expect(lines.filter((line) => line.startsWith('# TYPE'))).toHaveLength(Object.keys(METRICS).length);
  });

  it('every sample is a name, labels and a finite number', () => {
    const sample =
      /^kongfallback_[a-z_]+(\{[a-z_]+="(?:[^"\\\n]|\\.)*"(,[a-z_]+="(?:[^"\\\n]|\\.)*")*\})? -?[0-9.]+(e[+-]?\d+)?$/;
    const wrong = lines.filter((line) => !line.startsWith('#') && line !== '' && !sample.test(line));
    expect(wrong).toEqual([]);
  });

  it('names are kongfallback_<area>_<what>_<unit>, and counters alone end in _total', () => {
    const units =
      'seconds|bytes|total|info|state|number|findings|sessions|snapshots|entities|data_planes|tunnels|limit';
    for (const [name, { type }] of Object.entries(METRICS)) {
      expect(name).toMatch(new RegExp(`^kongfallback_[a-z]+(_[a-z]+)*_(${units})$`));
      expect(name.endsWith('_total')).toBe(type === 'counter');
    }
  });

  it('no series stands twice', () => {
    const series = lines.filter((line) => !line.startsWith('#')).map((line) => line.replace(/ [^ ]+$/, ''));
    expect(series.filter((one, at) => one !== '' && series.indexOf(one) !== at)).toEqual([]);
  });

  it('a full state leaves no metric without a sample, but the one that says when loading ends', () => {
    const empty = Object.keys(METRICS).filter(
      (name) => samples(text, name).length === 0 && samples(text, `${name}_bucket`).length === 0,
    );
    expect(empty).toEqual(['kongfallback_configuration_loadable_until_timestamp_seconds']);
  });
});

describe('what nobody measured has no sample', () => {
  it('of a relay where there is none', async () => {
    const text = await rendered(sampleState({}));
    expect(text.split('\n').filter((line) => line.startsWith('kongfallback_relay_'))).toEqual([]);
  });

  it('of admission beside a data plane', async () => {
    const { relay } = FULL;
    const text = await rendered({ ...FULL, ...(relay && { relay: { ...relay, admission: null } }) });
    expect(samples(text, 'kongfallback_relay_held_data_planes')).toEqual(['1']);
    expect(samples(text, 'kongfallback_relay_admission_limit')).toEqual([]);
  });
});

describe('bounds', () => {
  it('a head with a thousand collections makes 65 series, and loses no entity', async () => {
    const counts = Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`c${n}`, 1]));
    const facts = sampleHeadFacts();
    const head = { ...facts, current: { ...facts.current, counts } };
    const [line] = sampleState().lines;
    const text = await rendered(sampleState({ lines: [{ ...line!, heads: [headState('s3', { head })] }] }));
    const found = samples(text, 'kongfallback_configuration_entities');
    expect(found).toHaveLength(65);
    expect(found).toContain('{gateway_version="3.9.3",collection="other"} 936');
  });

  it('a collection with a name made to break the format breaks nothing', async () => {
    const facts = sampleHeadFacts();
    const counts = Object.fromEntries([
      ['a"} 1\nkongfallback_service_ready_state 0\n', 3],
      ['__proto__', 2],
      ['x'.repeat(5000), 1],
    ]);
    const head = { ...facts, current: { ...facts.current, counts } };
    const [line] = sampleState().lines;
    const text = await rendered(sampleState({ lines: [{ ...line!, heads: [headState('s3', { head })] }] }));
    expect(samples(text, 'kongfallback_service_ready_state')).toEqual(['1']);
    expect(samples(text, 'kongfallback_configuration_entities')).toContain(
      '{gateway_version="3.9.3",collection="__proto__"} 2',
    );
    expect(text.split('\n').every((row) => row.length < 500)).toBe(true);
  });
});

describe('what a scrape says', () => {
  it('ages, states, totals', async () => {
    const text = await rendered(FULL);
    const expected: Readonly<Record<string, readonly string[]>> = {
      kongfallback_head_alive_age_seconds: ['{gateway_version="3.9.3",store="s3"} 61'],
      kongfallback_head_confirmed_age_seconds: ['{gateway_version="3.9.3",store="s3"} 62'],
      kongfallback_export_blocked_age_seconds: ['{gateway_version="3.9.3"} 30'],
      kongfallback_export_pending_age_seconds: ['{gateway_version="3.9.3"} 0'],
      kongfallback_control_plane_state: [
        '{gateway_version="3.9.3",state="unknown"} 0',
        '{gateway_version="3.9.3",state="up"} 1',
        '{gateway_version="3.9.3",state="down"} 0',
      ],
      kongfallback_store_breaker_state: [
        '{store="s3",state="closed"} 0',
        '{store="s3",state="open"} 0',
        '{store="s3",state="half-open"} 1',
      ],
      kongfallback_service_standing_findings: ['{code="head-missing",severity="warning"} 1'],
      kongfallback_origin_state_age_seconds: ['{origin="storage"} 5'],
      kongfallback_drill_age_seconds: ['{gateway_version="3.9.3",store="s3"} 3600'],
    };
    for (const [name, lines] of Object.entries(expected)) expect(samples(text, name)).toEqual(lines);
    expect(samples(text, 'kongfallback_build_info')[0]).toContain('version="1.2.3"');
  });

  it('totals do not add up over scrapes, and what is gone leaves no series behind', async () => {
    const metrics = await metricsOf();
    await metrics.render([FULL], NOW);
    const again = await metrics.render([sampleState()], NOW);
    const puts = '{store="s3",operation="put"} 3';
    expect(samples(again, 'kongfallback_store_requests_total')).toContain(puts);
    expect(samples(again, 'kongfallback_origin_state')).toEqual([]);
  });

  it('two scrapes at once are each whole', async () => {
    const metrics = await metricsOf();
    const texts = await Promise.all([metrics.render([FULL], NOW), metrics.render([FULL], NOW)]);
    const puts = texts.map((text) => samples(text, 'kongfallback_store_requests_total').join('\n'));
    expect(puts[0]).toBe(puts[1]);
  });

  it('durations are counted by outcome', async () => {
    const metrics = await metricsOf();
    metrics.exported('3.9.3', 'published', 250);
    metrics.exported('3.9.3', 'published', 5000);
    const text = await metrics.render([sampleState()], NOW);
    const name = 'kongfallback_export_duration_seconds';
    expect(samples(text, `${name}_count`)).toEqual(['{gateway_version="3.9.3",outcome="published"} 2']);
    expect(samples(text, `${name}_bucket`)).toContain(
      '{le="0.3",gateway_version="3.9.3",outcome="published"} 1',
    );
  });
});

describe('several roles in one process', () => {
  const relay = (changes: Partial<ServiceState> = {}): ServiceState => ({
    ...sampleState({ origin: FULL.origin }),
    role: 'relay',
    ...changes,
  });

  it('no series stands twice, and none is the sum of two roles but the requests that both made', async () => {
    const text = await (await metricsOf()).render([FULL, relay({ drills: [] })], NOW);
    const series = text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => line.replace(/ [^ ]+$/, ''));
    expect(series.filter((one, at) => series.indexOf(one) !== at)).toEqual([]);
    expect(samples(text, 'kongfallback_store_requests_total')).toContain('{store="s3",operation="get"} 20');
    const states = samples(text, 'kongfallback_control_plane_state').filter((one) => one.includes('"up"'));
    expect(states).toEqual([
      '{gateway_version="3.9.3",role="exporter",state="up"} 1',
      '{gateway_version="3.9.3",role="relay",state="up"} 1',
    ]);
    const entities = samples(text, 'kongfallback_configuration_entities');
    expect(entities).toContain('{gateway_version="3.9.3",role="relay",collection="routes"} 5');
    expect(samples(text, 'kongfallback_build_info')).toHaveLength(2);
    expect(samples(text, 'kongfallback_process_cpu_seconds_total')).toHaveLength(1);
  });

  it('is ready when every role is, and has begun with the first', async () => {
    const late = relay({ notReady: 'no copy yet', startedAt: NOW - 5 });
    const text = await (await metricsOf()).render([sampleState(), late], NOW);
    expect(samples(text, 'kongfallback_service_ready_state')).toEqual(['0']);
    expect(samples(text, 'kongfallback_process_start_timestamp_seconds')).toEqual([
      String((NOW - 100_000) / 1000),
    ]);
  });
});
