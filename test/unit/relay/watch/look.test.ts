import { once } from 'node:events';
import { describe, expect, test, vi } from 'vitest';
import { ClusterCertificate, parseAddress } from '../../../../src/kong/index.ts';
import { createLook, type LookDepth, type LookOptions } from '../../../../src/relay/watch/look.ts';
import type { FakeClock } from '../../../../src/testing/fake-clock.ts';
import { clusterCertificate, TestAuthority } from '../../../stand-in/certificates.ts';
import type { StandInOptions } from '../../../stand-in/control-plane.ts';
import { cluster, standIn, stoppedClock } from '../../kong/session-fixture.ts';

function looking(address: string, options: Partial<LookOptions> & { clock?: FakeClock } = {}) {
  const clock = options.clock ?? stoppedClock();
  const look = createLook({
    cluster: () => new ClusterCertificate({ addresses: [address], ...cluster, mtls: 'shared' }),
    gatewayVersion: '3.9.3',
    nodeId: '7f3b8f4e-0000-5000-8000-000000000001',
    nodeHostname: 'relay-1',
    clock,
  });
  const signal = new AbortController().signal;
  return look(parseAddress(address), { depth: 'upgrade', deadlineMs: 3000, signal, ...options });
}

async function outcome(options: Partial<StandInOptions>, depth: LookDepth): Promise<string> {
  const clock = stoppedClock();
  const controlPlane = await standIn(options);
  const answer = await looking(controlPlane.address, { depth, clock });
  await vi.waitFor(() => expect(controlPlane.open).toBe(0));
  await vi.waitFor(() => expect(clock.sleeping).toBe(0));
  expect(controlPlane.basicInfos).toEqual([]);
  if (!answer.answers) return `away ${answer.error.code}`;
  if (answer.alarm === undefined) return 'answers';
  expect(answer.alarm).toMatchObject({ message: expect.any(String), hint: expect.any(String) });
  return `alarm ${answer.alarm.code}`;
}

describe('a control plane that is away trips', () => {
  test.each<[string, LookDepth, Partial<StandInOptions>]>([
    ['KF_CP_CONNECTION_LOST', 'tls', { behaviour: 'reset-tcp' }],
    ['KF_CP_CONNECTION_LOST', 'upgrade', { behaviour: 'reset-tcp' }],
    ['KF_CP_TLS_FAILED', 'tls', { behaviour: 'not-tls' }],
    ['KF_CP_TLS_FAILED', 'upgrade', { behaviour: 'not-tls' }],
    ['KF_CP_STAND_IN', 'upgrade', { behaviour: 'stand-in' }],
    ['KF_CP_NOT_WEBSOCKET', 'upgrade', { behaviour: 'not-websocket' }],
    ['KF_CP_NOT_HYBRID', 'upgrade', { status: 404 }],
    ['KF_CP_HTTP_STATUS', 'upgrade', { status: 500 }],
    ['KF_CP_HTTP_STATUS', 'upgrade', { status: 502 }],
    ['KF_CP_HTTP_STATUS', 'upgrade', { status: 503 }],
  ])('%s at %s (%#)', async (code, depth, options) => {
    expect(await outcome(options, depth)).toBe(`away ${code}`);
  });

  test('nothing listens there', async () => {
    const controlPlane = await standIn();
    const { address } = controlPlane;
    await controlPlane.close();
    expect(await looking(address)).toMatchObject({ error: { code: 'KF_CP_REFUSED_CONNECTION' } });
  });

  test('nobody has that name', async () => {
    const answer = await looking('control-plane.invalid:8005');
    expect(answer).toMatchObject({ answers: false, error: { code: 'KF_CP_NAME_UNKNOWN' } });
  });

  test.each([
    ['hang-tcp', 'connection', 'tls', 'KF_CP_TLS_TIMEOUT'],
    ['hang-tcp', 'connection', 'upgrade', 'KF_CP_TLS_TIMEOUT'],
    ['hang-tls', 'request', 'upgrade', 'KF_CP_UPGRADE_TIMEOUT'],
  ] as const)(
    '%s: by its own deadline, and says what was waited for (%s, %s)',
    async (behaviour, event, depth, code) => {
      const clock = stoppedClock();
      const controlPlane = await standIn({ behaviour });
      const reached = once(controlPlane, event);
      const answer = looking(controlPlane.address, { clock, depth });
      await reached;
      // TCP stands on our side, too.
      await clock.advance(2999);
      await vi.waitFor(() => expect(controlPlane.open).toBe(1));
      await clock.advance(1);
      expect(await answer).toMatchObject({ answers: false, error: { code } });
      await vi.waitFor(() => expect(controlPlane.open).toBe(0));
      expect(clock.sleeping).toBe(0);
    },
  );
});

describe('one that refuses us is there: an alarm', () => {
  test.each<[string, LookDepth, Partial<StandInOptions>]>([
    ['KF_CP_BAD_REQUEST', 'upgrade', { status: 400 }],
    ['KF_CP_BAD_REQUEST', 'upgrade', { status: 401 }],
    ['KF_CP_BAD_REQUEST', 'upgrade', { status: 403 }],
    ['KF_CP_BAD_REQUEST', 'upgrade', { status: 495 }],
    ['KF_CP_BAD_REQUEST', 'upgrade', { status: 496 }],
    ['KF_CP_CERTIFICATE_REFUSED', 'upgrade', { behaviour: 'reset-tls' }],
    ['KF_CP_CERTIFICATE_REFUSED', 'upgrade', { certificate: clusterCertificate(), presented: cluster }],
    ['KF_CP_FOREIGN_CERTIFICATE', 'tls', { presented: clusterCertificate() }],
    ['KF_CP_FOREIGN_CERTIFICATE', 'upgrade', { presented: clusterCertificate() }],
  ])('%s at %s (%#)', async (code, depth, options) => {
    expect(await outcome(options, depth)).toBe(`alarm ${code}`);
  });

  test.each([
    ['KF_CP_UNTRUSTED_CERTIFICATE', new TestAuthority().leaf({ names: ['cp.test'] }), 'cp.test'],
    ['KF_CP_WRONG_NAME', undefined, 'other.test'],
    ['KF_CP_EXPIRED_CERTIFICATE', 'expired', 'cp.test'],
  ] as const)('%s (pki)', async (code, presented, serverName) => {
    const authority = new TestAuthority();
    const own = authority.leaf({ names: ['relay.test'] });
    const notAfter = presented === 'expired' ? { notAfter: new Date(Date.now() - 1000) } : {};
    const leaf = authority.leaf({ names: ['cp.test'], ...notAfter });
    const shown = presented === undefined || presented === 'expired' ? leaf : presented;
    const controlPlane = await standIn({ certificate: shown, mtls: 'pki', ca: authority.certificate });
    const look = createLook({
      cluster: () =>
        new ClusterCertificate({
          addresses: [],
          ...own,
          mtls: 'pki',
          ca: authority.certificate,
          serverName,
        }),
      gatewayVersion: '3.9.3',
      nodeId: '7f3b8f4e-0000-5000-8000-000000000001',
      nodeHostname: 'relay-1',
      clock: stoppedClock(),
    });
    const signal = new AbortController().signal;
    const answer = await look(parseAddress(controlPlane.address), { depth: 'tls', deadlineMs: 3000, signal });
    expect(answer).toMatchObject({ answers: true, alarm: { code } });
  });
});

describe('a control plane that is there', () => {
  test.each<[LookDepth, Partial<StandInOptions>]>([
    ['tls', {}],
    ['upgrade', {}],
    // Only a session can tell.
    ['upgrade', { behaviour: 'refuse' }],
    ['upgrade', { behaviour: 'silent' }],
    ['upgrade', { behaviour: 'hang-upgraded' }],
    ['tls', { status: 502 }],
  ])('answers at %s, and nothing is left open (%#)', async (depth, options) => {
    expect(await outcome(options, depth)).toBe('answers');
  });

  test('a look at TLS asks for nothing', async () => {
    const controlPlane = await standIn();
    await looking(controlPlane.address, { depth: 'tls' });
    await vi.waitFor(() => expect(controlPlane.open).toBe(0));
    expect(controlPlane.requests).toEqual([]);
  });

  test('does not wait for the goodbye', async () => {
    const clock = stoppedClock();
    const controlPlane = await standIn();
    expect(await looking(controlPlane.address, { clock })).toEqual({ answers: true });
    expect(clock.sleeping).toBe(1);
    await vi.waitFor(() => expect(controlPlane.open).toBe(0));
    await vi.waitFor(() => expect(clock.sleeping).toBe(0));
  });
});

test('only an abort is thrown', async () => {
  const controlPlane = await standIn({ behaviour: 'hang-tcp' });
  const reached = once(controlPlane, 'connection');
  const giveUp = new AbortController();
  const work = looking(controlPlane.address, { signal: giveUp.signal });
  await reached;
  giveUp.abort();
  await expect(work).rejects.toMatchObject({ kind: 'aborted' });
  await vi.waitFor(() => expect(controlPlane.open).toBe(0));
});
