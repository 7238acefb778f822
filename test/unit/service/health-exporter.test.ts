import { beforeEach, describe, expect, it } from 'vitest';
import { LineStatus } from '../../../src/export/line-status.ts';
import { Findings } from '../../../src/observe/index.ts';
import type { Logger } from '../../../src/plugin/index.ts';
import { Breaker } from '../../../src/resilience/index.ts';
import { ExporterHealth } from '../../../src/service/health-exporter.ts';
import type { GuardedStore } from '../../../src/snapshot/guarded-store.ts';
import { Trust } from '../../../src/snapshot/keys.ts';
import { encodeSignedHead, SnapshotStore } from '../../../src/snapshot/snapshot-store.ts';
import { StoreCounts } from '../../../src/snapshot/store-counts.ts';
import { HeadWatches } from '../../../src/status/head-watches.ts';
import { FakeClock } from '../../../src/testing/index.ts';
import { MemoryLineStore } from '../snapshot/memory-line-store.ts';
import { LINE, sampleHead, signingPair } from '../snapshot/sample-head.ts';
import { NOW } from './sample-state.ts';

const pair = signingPair();
const signal = new AbortController().signal;
const trust = new Trust([pair.publicPem]);
const at = (ms: number) => new Date(NOW + ms).toISOString();

describe('a running exporter, seen from outside', () => {
  let clock: FakeClock;
  let events: string[];
  let findings: Findings;
  let store: MemoryLineStore;
  let line: SnapshotStore;
  let status: LineStatus;
  let health: ExporterHealth;
  let breaker: Breaker;

  beforeEach(() => {
    clock = new FakeClock({ now: NOW });
    events = [];
    const write = (fields: object) => {
      const { event, finding } = fields as { event: string; finding: string };
      events.push(`${event} ${finding}`);
    };
    const log = { debug: write, info: write, warn: write, error: write } as Logger;
    findings = new Findings(clock, log);
    store = new MemoryLineStore('s3');
    const heads = new HeadWatches(trust, clock);
    line = new SnapshotStore(heads.watch(store, LINE), { ...LINE, trust });
    status = new LineStatus(LINE.gatewayVersion, clock.now());
    breaker = new Breaker('storage s3');
    health = new ExporterHealth({
      cluster: LINE.cluster,
      statuses: [status],
      heads,
      findings,
      stores: [
        { id: 's3', counts: Object.assign(new StoreCounts(), { get: 3, bytesDown: 7 }) } as GuardedStore,
      ],
      breakers: new Map([['s3', breaker]]),
      confirmIntervalMs: 600_000,
      clock,
    });
  });

  const publish = (changes: Parameters<typeof sampleHead>[0] = {}) =>
    store.objects.set(
      '3.9.3/head.json',
      encodeSignedHead(sampleHead({ aliveAt: at(0), confirmedAt: at(0), ...changes }), [pair.signer]),
    );

  it('is not ready before a head was seen, and says so', async () => {
    expect(health.look()).toMatchObject({ notReady: expect.stringContaining('no head'), findings: [] });
    await line.readHeadForUpdate({ signal });
    expect(health.look()).toMatchObject({
      notReady: expect.stringContaining('no head'),
      findings: [{ code: 'nothing-to-restore', since: NOW }, { code: 'head-missing' }],
    });
  });

  it('is ready as soon as one was read or written, and stays so when the store goes away', async () => {
    publish();
    await line.readHeadForUpdate({ signal });
    expect(health.look().notReady).toBeNull();
    store.before = () => {
      throw new Error('gone');
    };
    await line.readHeadForUpdate({ signal }).catch(() => {});
    expect(health.look()).toMatchObject({ notReady: null, lines: [{ heads: [{ state: 'unreadable' }] }] });
  });

  it('tells a finding once when it appears, and once when it goes', async () => {
    publish({ controlPlane: { state: 'down', since: at(-1000) } });
    await line.readHeadForUpdate({ signal });
    health.look();
    await clock.advance(1000);
    expect(health.look().findings).toMatchObject([{ code: 'control-plane-down', since: NOW }]);
    publish();
    await line.readHeadForUpdate({ signal });
    expect(health.look().findings).toEqual([]);
    expect(events).toEqual(['finding.raised control-plane-down', 'finding.cleared control-plane-down']);
  });

  it('leaves the findings of others alone', () => {
    findings.raise({ code: 'cp-silent', about: '3.9.3', severity: 'critical', message: 'silent' });
    health.look();
    expect(health.look().findings.map(({ code }) => code)).toEqual(['cp-silent']);
  });

  it('has what the flow, the stores and the drills say', async () => {
    status.controlPlane('up', clock.now());
    status.update({ connected: true });
    status.count('published', clock.now());
    const drill = {
      gatewayVersion: '3.9.3',
      store: 's3',
      verdict: 'passed' as const,
      at: NOW,
      timings: { resolveMs: 1, fetchMs: 2, openMs: 3 },
    };
    health.drilled({ ...drill, verdict: 'failed' });
    health.drilled(drill);
    expect(health.look()).toMatchObject({
      role: 'exporter',
      lines: [
        {
          gatewayVersion: '3.9.3',
          controlPlane: { state: 'up', since: NOW, connected: true },
          exports: { outcomes: { published: 1 }, lastOutcome: 'published' },
        },
      ],
      stores: [{ store: 's3', breaker: 'closed', requests: { get: 3, put: 0 }, bytesDown: 7 }],
      drills: [drill],
    });
  });
});
