import { once } from 'node:events';
import { describe, expect, test, vi } from 'vitest';
import { probeControlPlane } from '../../../src/kong/probe.ts';
import { clusterCertificate } from '../../stand-in/certificates.ts';
import type { StandInOptions } from '../../stand-in/control-plane.ts';
import { failureOf, sessionOptions, standIn, stoppedClock } from './session-fixture.ts';

describe('not reachable, with the reason', () => {
  test.each<[string, Partial<StandInOptions>]>([
    ['KF_CP_CONNECTION_LOST', { behaviour: 'reset-tcp' }],
    ['KF_CP_TLS_FAILED', { behaviour: 'not-tls' }],
    ['KF_CP_CERTIFICATE_REFUSED', { behaviour: 'reset-tls' }],
    ['KF_CP_NOT_WEBSOCKET', { behaviour: 'not-websocket' }],
    ['KF_CP_STAND_IN', { behaviour: 'stand-in' }],
    ['KF_CP_REFUSED', { behaviour: 'refuse' }],
    ['KF_CP_CONNECTION_LOST', { behaviour: 'cut' }],
    ['KF_CP_TEXT_FRAME', { behaviour: 'text-frame' }],
    ['KF_CP_FOREIGN_CERTIFICATE', { presented: clusterCertificate() }],
    ['KF_CP_HTTP_STATUS', { status: 503 }],
    ['KF_CP_REFUSED', { version: '3.8.0' }],
    ['KF_CP_NO_CONFIGURATION', { frames: Buffer.from('{"type":"reconfigure"}') }],
    ['KF_CP_NO_CONFIGURATION', { frames: Buffer.alloc(0) }],
  ])('%s (%#)', async (reason, options) => {
    const clock = stoppedClock();
    const controlPlane = await standIn(options);
    const health = await probeControlPlane(sessionOptions(controlPlane.address, { clock }));
    expect(health).toMatchObject({ reachable: false, reason, hint: expect.any(String) });
    await vi.waitFor(() => expect(controlPlane.open).toBe(0));
    expect(clock.sleeping).toBe(0);
  });

  test.each(['hang-upgraded', 'silent'] as const)(
    '%s: after 10 s, whatever it answers',
    async (behaviour) => {
      const clock = stoppedClock();
      const controlPlane = await standIn({ behaviour });
      const introduced = once(controlPlane, 'ping');
      const work = probeControlPlane(sessionOptions(controlPlane.address, { clock }));
      await introduced;
      await clock.advance(10_000);
      // The goodbye to a peer that does not answer.
      await clock.advance(1000);
      expect(await work).toMatchObject({ reachable: false, reason: 'KF_CP_NO_CONFIGURATION' });
      await vi.waitFor(() => expect(controlPlane.open).toBe(0));
      expect(clock.sleeping).toBe(0);
    },
  );

  test('a control plane that hangs, after 3 s', async () => {
    const clock = stoppedClock();
    const controlPlane = await standIn({ behaviour: 'hang-tls' });
    const asked = once(controlPlane, 'request');
    const work = probeControlPlane(sessionOptions(controlPlane.address, { clock }));
    await asked;
    await clock.advance(3000);
    expect(await work).toMatchObject({ reachable: false, reason: 'KF_CP_UPGRADE_TIMEOUT', durationMs: 3000 });
    await vi.waitFor(() => expect(controlPlane.open).toBe(0));
  });

  test('settings that cannot work are a reason, too, and no exception', async () => {
    const options = sessionOptions('nowhere');
    expect(await probeControlPlane(options)).toMatchObject({ reason: 'KF_CP_ADDRESS_INVALID' });
    const controlPlane = { ...options.controlPlane, addresses: ['127.0.0.1:1'], key: '' };
    expect(await probeControlPlane({ ...options, controlPlane })).toMatchObject({
      reason: 'KF_CP_CERTIFICATE_INVALID',
    });
  });
});

test('only an abort is thrown', async () => {
  const giveUp = new AbortController();
  const controlPlane = await standIn({ behaviour: 'silent' });
  const introduced = once(controlPlane, 'basic-info');
  const work = failureOf(probeControlPlane(sessionOptions(controlPlane.address, { signal: giveUp.signal })));
  await introduced;
  giveUp.abort();
  expect(await work).toBe('aborted KF_ABORTED');
  await vi.waitFor(() => expect(controlPlane.open).toBe(0));
});

test('reachable: a configuration for this version came, and nothing is left behind', async () => {
  const clock = stoppedClock();
  const controlPlane = await standIn();
  const health = await probeControlPlane(sessionOptions(controlPlane.address, { clock }));
  expect(health).toMatchObject({
    reachable: true,
    address: controlPlane.address,
    configHash: 'efc54e13b9dcea24a87f55f3ba401936',
  });
  await vi.waitFor(() => expect(controlPlane.open).toBe(0));
  expect(clock.sleeping).toBe(0);
});

test('reachable at its second address', async () => {
  const away = await standIn({ behaviour: 'reset-tcp' });
  const controlPlane = await standIn();
  const options = sessionOptions(away.address);
  const addresses = [away.address, controlPlane.address];
  expect(
    await probeControlPlane({ ...options, controlPlane: { ...options.controlPlane, addresses } }),
  ).toMatchObject({ reachable: true, address: controlPlane.address });
});
