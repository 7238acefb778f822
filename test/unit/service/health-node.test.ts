import { describe, expect, it } from 'vitest';
import { type BootstrapOutcome, type Origin, outcomeOf } from '../../../src/bootstrap/outcome.ts';
import { FallbackError } from '../../../src/errors/index.ts';
import { healthOf } from '../../../src/observe/metrics-state.ts';
import { nodeHealth } from '../../../src/service/health-node.ts';
import { NOW } from './sample-state.ts';

const outcome = (origin: Origin, changes: Partial<BootstrapOutcome> = {}): BootstrapOutcome =>
  outcomeOf('3.9.3', { origin, reason: 'KF_CP_GONE', ageSeconds: 90, ...changes }, {});

const seen = (of: BootstrapOutcome | undefined, handedBackAt?: number) =>
  nodeHealth({
    cluster: 'production',
    startedAt: NOW - 1000,
    outcome: of,
    outcomeAt: NOW,
    stores: [],
    ...(handedBackAt !== undefined && { handedBackAt }),
  });

describe('a node', () => {
  it('is not ready while its bootstrap is under way', () => {
    expect(seen(undefined)).toMatchObject({ notReady: 'the bootstrap is still under way', origin: null });
  });

  it('without a configuration is not ready and failed, with the reason', () => {
    const error = new FallbackError('denied', 'KF_RESTORE_FAILED', 'all refused', { hint: 'mend it' });
    const state = seen(outcome('none', { error }));
    expect(state.notReady).not.toBeNull();
    expect(healthOf(state.findings)).toBe('failed');
    expect(state.findings[0]).toMatchObject({ code: 'no-configuration', hint: 'mend it', since: NOW });
  });

  it.each<[Origin, string, string]>([
    ['control-plane', 'ok', 'up'],
    ['node', 'ok', 'unknown'],
    ['storage', 'degraded', 'down'],
    ['cache', 'degraded', 'down'],
  ])('with a configuration from %s is ready, and %s', (origin, status, controlPlane) => {
    const state = seen(outcome(origin));
    expect(state).toMatchObject({
      notReady: null,
      origin: { origin, since: NOW, reason: 'KF_CP_GONE' },
      lines: [{ gatewayVersion: '3.9.3', controlPlane: { state: controlPlane, since: NOW }, heads: [] }],
    });
    expect(healthOf(state.findings)).toBe(status);
  });

  it('what was noticed while restoring stands until the control plane is back', () => {
    const findings = [
      { code: 'restore/stores-disagree', severity: 'warning' as const, message: 'x', hint: 'y' },
    ];
    expect(seen(outcome('storage', { findings })).findings.map(({ code }) => code)).toEqual([
      'on-fallback',
      'restore/stores-disagree',
    ]);
    expect(seen(outcome('storage', { findings }), NOW + 500)).toMatchObject({
      findings: [],
      origin: { origin: 'control-plane', reason: 'handed-back', since: NOW + 500 },
      lines: [{ controlPlane: { state: 'up', since: NOW + 500 } }],
    });
  });
});
