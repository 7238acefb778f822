import type { HeadFacts, HeadState, ServiceState } from '../../../src/observe/metrics-state.ts';

export const NOW = Date.UTC(2026, 10, 21, 12);

export function sampleHeadFacts(changes: Partial<HeadFacts> = {}): HeadFacts {
  return {
    sequence: 1_763_000_001,
    authenticated: true,
    writer: 'exporter-1',
    nonce: 'a'.repeat(32),
    aliveAgeMs: 61_000,
    confirmedAgeMs: 62_000,
    controlPlane: { state: 'up', since: '2026-11-20T00:00:00.000Z' },
    snapshots: 3,
    current: {
      documentSha256: 'd'.repeat(64),
      configHash: 'c'.repeat(32),
      documentBytes: 1234,
      exportedAt: '2026-11-21T11:02:05.000Z',
      counts: { services: 2, routes: 5 },
      loadableUntil: null,
    },
    hold: null,
    clockOffsetMs: 0,
    ...changes,
  };
}

export const headState = (store: string, changes: Partial<HeadState> = {}): HeadState => ({
  store,
  state: 'verified',
  error: null,
  head: sampleHeadFacts(),
  ...changes,
});

/** Of an exporter with everything that a state can hold. */
export function sampleState(changes: Partial<ServiceState> = {}): ServiceState {
  return {
    role: 'exporter',
    cluster: 'production',
    startedAt: NOW - 100_000,
    notReady: null,
    origin: null,
    lines: [
      {
        gatewayVersion: '3.9.3',
        controlPlane: { state: 'up', since: NOW - 50_000, connected: true },
        heads: [headState('s3'), headState('dr', { state: 'missing', head: null })],
        exports: {
          outcomes: { published: 2, confirmed: 7, failed: 1 },
          lastOutcome: 'confirmed',
          lastOutcomeAt: NOW - 62_000,
          blockedSince: NOW - 30_000,
          pendingSince: null,
        },
      },
    ],
    stores: [
      {
        store: 's3',
        breaker: 'half-open',
        requests: { get: 10, put: 3, list: 1, delete: 0 },
        bytesUp: 1000,
        bytesDown: 2000,
      },
    ],
    findings: [
      { code: 'head-missing', about: '3.9.3 dr', severity: 'warning', message: 'storage dr holds no head' },
    ],
    drills: [
      {
        gatewayVersion: '3.9.3',
        store: 's3',
        verdict: 'passed',
        at: NOW - 3_600_000,
        timings: { resolveMs: 20, fetchMs: 30, openMs: 40 },
      },
    ],
    ...changes,
  };
}
