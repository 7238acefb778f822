import { once } from 'node:events';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ClusterCertificate, parseAddress } from '../../../../src/kong/index.ts';
import { Findings, silentLogger } from '../../../../src/observe/index.ts';
import type { ControlPlaneView, Verdict } from '../../../../src/relay/verdict.ts';
import { ControlPlaneWatch } from '../../../../src/relay/watch/control-plane-watch.ts';
import { createLook } from '../../../../src/relay/watch/look.ts';
import { systemClock } from '../../../../src/resilience/index.ts';
import { clusterCertificate } from '../../../stand-in/certificates.ts';
import type { Behaviour, StandInControlPlane, StandInOptions } from '../../../stand-in/control-plane.ts';
import { cluster, standIn } from '../../kong/session-fixture.ts';

// The whole watch against a control plane that behaves like a real one, over sockets and on the machine's clock.

const TRIP_MS = 600;
const STABLE_MS = 500;

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

class Watching {
  readonly watch: ControlPlaneWatch;
  readonly changes: ControlPlaneView[] = [];
  #onChange: (() => void) | undefined;

  constructor(address: string, form: 'service' | 'sidecar') {
    this.watch = new ControlPlaneWatch({
      addresses: [parseAddress(address)],
      look: createLook({
        cluster: () => new ClusterCertificate({ addresses: [address], ...cluster, mtls: 'shared' }),
        gatewayVersion: '3.9.3',
        nodeId: '7f3b8f4e-0000-5000-8000-000000000001',
        nodeHostname: 'relay-1',
        clock: systemClock,
      }),
      form,
      tripMs: TRIP_MS,
      stableMs: STABLE_MS,
      maxStableMs: STABLE_MS,
      clock: systemClock,
      random: () => 0.5,
      log: silentLogger,
      findings: new Findings(systemClock, silentLogger),
      onChange: (view) => {
        this.changes.push(view);
        this.#onChange?.();
      },
    });
    const stop = new AbortController();
    const done = this.watch.run(stop.signal);
    ends.push(async () => {
      stop.abort();
      await done;
    });
  }

  async until(verdict: Verdict): Promise<ControlPlaneView> {
    while (this.watch.view().verdict !== verdict) {
      await new Promise<void>((resolve) => {
        this.#onChange = resolve;
      });
    }
    return this.watch.view();
  }
}

async function upAt(
  options: Partial<StandInOptions> = {},
  form: 'service' | 'sidecar' = 'service',
): Promise<[Watching, StandInControlPlane]> {
  const controlPlane = await standIn(options);
  const one = new Watching(controlPlane.address, form);
  ends.push(async () => {
    await vi.waitFor(() => expect(controlPlane.open).toBe(0));
  });
  await one.until('up');
  return [one, controlPlane];
}

describe('trips, and comes back', () => {
  /** Side by side: each takes seconds of waiting. */
  const eachAtOnce = (behaviours: readonly Behaviour[], work: (behaviour: Behaviour) => Promise<void>) =>
    Promise.all(behaviours.map(work));

  const REASONS: Partial<Record<Behaviour, string>> = {
    'hang-tcp': 'KF_CP_TLS_TIMEOUT',
    'hang-tls': 'KF_CP_UPGRADE_TIMEOUT',
    'reset-tcp': 'KF_CP_CONNECTION_LOST',
    'not-tls': 'KF_CP_TLS_FAILED',
    'not-websocket': 'KF_CP_NOT_WEBSOCKET',
    'stand-in': 'KF_CP_STAND_IN',
  };

  test('in every way that its transport fails', async () => {
    await eachAtOnce(Object.keys(REASONS) as Behaviour[], async (behaviour) => {
      const [one, controlPlane] = await upAt();
      controlPlane.behaviour = behaviour;
      const from = systemClock.monotonic();
      one.watch.lookNow();
      const { reason } = await one.until('down');
      expect([behaviour, reason]).toEqual([behaviour, REASONS[behaviour]]);
      expect(systemClock.monotonic() - from, behaviour).toBeGreaterThan(TRIP_MS - 5);
      controlPlane.behaviour = 'normal';
      const again = systemClock.monotonic();
      expect(await one.until('up'), behaviour).toMatchObject({ address: controlPlane.address });
      expect(systemClock.monotonic() - again, behaviour).toBeGreaterThan(STABLE_MS - 5);
      const verdicts = one.changes.map(({ verdict }) => verdict);
      expect([behaviour, ...verdicts]).toEqual([behaviour, 'up', 'doubtful', 'down', 'up']);
    });
  });

  test('a control plane that is killed', async () => {
    const [one, controlPlane] = await upAt();
    await controlPlane.close();
    one.watch.lookNow();
    expect(await one.until('down')).toMatchObject({ reason: 'KF_CP_REFUSED_CONNECTION' });
  });

  test.each([404, 500, 502, 503])('HTTP %d from the start', async (status) => {
    const controlPlane = await standIn({ status });
    const one = new Watching(controlPlane.address, 'service');
    const reason = status === 404 ? 'KF_CP_NOT_HYBRID' : 'KF_CP_HTTP_STATUS';
    expect(await one.until('down')).toMatchObject({ reason, address: undefined });
    expect(one.changes.map(({ verdict }) => verdict)).toEqual(['doubtful', 'down']);
  });

  test('a sidecar, which looks at TLS and asks for nothing', async () => {
    await eachAtOnce(['hang-tcp', 'reset-tcp', 'not-tls'], async (behaviour) => {
      const [one, controlPlane] = await upAt({}, 'sidecar');
      controlPlane.behaviour = behaviour;
      one.watch.lookNow();
      await one.until('down');
      controlPlane.behaviour = 'normal';
      await one.until('up');
      expect([behaviour, controlPlane.requests]).toEqual([behaviour, []]);
    });
  });
});

describe('refuses us alone: an alarm, and up', () => {
  test.each<[string, Partial<StandInOptions>]>([
    ['KF_CP_CERTIFICATE_REFUSED', { behaviour: 'reset-tls' }],
    ['KF_CP_CERTIFICATE_REFUSED', { certificate: clusterCertificate(), presented: cluster }],
    ['KF_CP_FOREIGN_CERTIFICATE', { presented: clusterCertificate() }],
    ['KF_CP_BAD_REQUEST', { status: 400 }],
    ['KF_CP_BAD_REQUEST', { status: 403 }],
  ])('%s (%#)', async (code, options) => {
    const [one, controlPlane] = await upAt(options);
    const asked = once(controlPlane, 'connection');
    one.watch.lookNow();
    await asked;
    expect(one.watch.view().verdict).toBe('up');
    expect(one.watch.standingAlarms()).toMatchObject([{ about: controlPlane.address }]);
    expect(one.watch.standingAlarms()[0]?.message).toContain(code);
  });

  test.each<Behaviour>(['refuse', 'silent', 'hang-upgraded', 'cut'])(
    '%s is not seen by looks',
    async (behaviour) => {
      const [one] = await upAt({ behaviour });
      expect(one.watch.standingAlarms()).toEqual([]);
    },
  );
});
