// The relay with real processes and TLS: control plane up, killed, back; who served whom, in this order.
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { documentNumber } from './exported.ts';
import { expectNoSecret } from './refusal.ts';
import { RelayWorld } from './relay-world.ts';

let world: RelayWorld;
beforeAll(async () => {
  world = await RelayWorld.create();
});
afterEach(() => world.clear());
afterAll(() => world.end());

describe('an outage', () => {
  it('control plane, stand-in, control plane: nobody is without, and nobody reloads', async () => {
    const first = await world.controlPlaneProcess(1);
    const relay = await world.startRelay();
    await relay.verdict('up');
    const warm = world.live();
    await warm.at('control-plane');
    // Mutual TLS is between the two: the control plane sees the data plane itself.
    expect(first.saw(warm.nodeId)).toMatchObject({ fingerprint: world.fingerprint, hostname: 'test-dp' });
    expect(warm.frames).toBe(1);

    await first.kill();
    await relay.verdict('down');
    const cold = world.live();
    await Promise.all([warm.at('stand-in'), cold.at('stand-in')]);
    expect(cold.hash).toBe(warm.hash);
    const [frame = Buffer.alloc(0)] = cold.session?.frames ?? [];
    expect(gunzipSync(frame).includes(documentNumber(1))).toBe(true);
    // It has the configuration already: not a byte of it was sent.
    expect([warm.frames, cold.frames]).toEqual([1, 1]);
    expect((await relay.get('/health/ready')).status).toBe(200);
    expect(await relay.status()).toMatchObject({
      role: 'relay',
      origin: { origin: 'storage', reason: 'KF_CP_REFUSED_CONNECTION' },
    });

    const second = await world.controlPlaneProcess(1);
    await relay.verdict('up');
    await Promise.all([warm.at('control-plane'), cold.at('control-plane')]);
    const origins = [warm, cold].map(({ visits }) => visits.map(({ origin }) => origin));
    expect(origins.map((all) => [...new Set(all)])).toEqual([
      ['control-plane', 'stand-in'],
      ['stand-in', 'control-plane'],
    ]);
    expect(origins.map((all) => all.at(-1))).toEqual(['control-plane', 'control-plane']);
    expect([second.saw(warm.nodeId), second.saw(cold.nodeId)]).toMatchObject([
      { fingerprint: world.fingerprint },
      { fingerprint: world.fingerprint },
    ]);
    expect(await relay.status()).toMatchObject({ origin: { origin: 'control-plane', reason: 'answers' } });

    const result = await relay.stop();
    expect(result.code).toBe(0);
    expectNoSecret(result, world.site.secrets);
  });

  it('a change that was made meanwhile reaches all from the control plane that is back', async () => {
    const first = await world.controlPlaneProcess(1);
    const relay = await world.startRelay();
    await relay.verdict('up');
    await first.kill();
    const dataPlane = world.live();
    await dataPlane.at('stand-in');
    const stored = dataPlane.hash;
    await world.controlPlaneProcess(2);
    await dataPlane.at('control-plane');
    while (dataPlane.hash === stored) await dataPlane.session?.applied();
    expect(JSON.stringify(dataPlane.session?.document)).toContain('change-2');
  });

  it('a control plane that is stopped in the middle of everything', async () => {
    const controlPlane = await world.controlPlaneProcess(1);
    const relay = await world.startRelay();
    await relay.verdict('up');
    const warm = world.live();
    await warm.at('control-plane');
    controlPlane.stand();
    const { reason } = await relay.verdict('down');
    expect(reason).toMatch(/^KF_CP_(CONNECT|TLS)_TIMEOUT$/);
    const cold = await world.dial();
    await cold.applied();
    expect(cold.origin).toBe('stand-in');
    // Its session stands, silent, and it keeps what it runs.
    expect([warm.session?.origin, warm.frames, warm.visits.length]).toEqual(['control-plane', 1, 1]);
  });
});
