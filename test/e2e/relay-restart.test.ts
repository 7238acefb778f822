// The relay itself stops, starts and is killed, while data planes are connected.
import { rmSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { documentNumber } from './exported.ts';
import { largeDocument } from './relay-large-document.ts';
import { RelayWorld } from './relay-world.ts';

let world: RelayWorld;
afterEach(() => world.end());

describe('SIGTERM', () => {
  it('lets tunnelled data planes go one after the other over drainSeconds, and ends with 0', async () => {
    world = await RelayWorld.create();
    const controlPlane = await world.controlPlane(1);
    const relay = await world.startRelay({ drainSeconds: 2 });
    await relay.verdict('up');
    const all = [];
    for (let n = 0; n < 8; n++) {
      const dataPlane = await world.dial();
      await dataPlane.applied();
      all.push(dataPlane);
    }
    const order: number[] = [];
    all.forEach(({ closed }, index) => void closed.then(() => order.push(index)));
    relay.signal('SIGTERM');
    expect(await relay.event('relay.draining')).toMatchObject({ tunnels: 8, overSeconds: 2 });
    // Nobody new: they find another replica.
    await expect(world.dial()).rejects.toThrow(/ECONNREFUSED/);
    await all[0]?.closed;
    // The others go on meanwhile: a change still reaches them.
    expect(order.length).toBeLessThan(8);
    const result = await relay.ended;
    await Promise.all(all.map(({ closed }) => closed));
    expect([result.code, result.signal]).toEqual([0, null]);
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(controlPlane.open).toBe(0);
    expect(result.stderr).not.toMatch(/relay\.not-served|hand-back-failed/);
  });

  it('of the stand-in: who is in the middle of a frame gets the whole of it, then a goodbye', async () => {
    const large = largeDocument(12);
    world = await RelayWorld.create({}, [large]);
    world.site.pointAt(1);
    const relay = await world.startRelay({ drainSeconds: 2 });
    await relay.verdict('down');
    await relay.ever('relay.provision');
    const dataPlanes = await Promise.all(Array.from({ length: 6 }, () => world.dial()));
    await Promise.all(dataPlanes.map((dataPlane) => dataPlane.applied()));
    // This one reads a part of its frame, and the rest only when the relay is stopping.
    const slow = await world.dial();
    await new Promise((resolve) => slow.socket.once('data', resolve));
    slow.websocket.pause();
    relay.signal('SIGTERM');
    await relay.event('relay.draining');
    slow.websocket.resume();
    await slow.applied();
    expect(await slow.closed).toBe(1005);
    expect(slow.document).toBeDefined();
    expect(await Promise.all(dataPlanes.map(({ closed }) => closed))).toEqual(Array(6).fill(1005));
    expect((await relay.ended).code).toBe(0);
  });
});

describe('a start', () => {
  it('at the former address, as an upgrade is: who was let go comes back, and nobody is turned away', async () => {
    world = await RelayWorld.create();
    await world.controlPlane(1);
    const before = await world.startRelay({ drainSeconds: 1 });
    await before.verdict('up');
    const listen = `127.0.0.1:${before.port}`;
    const fleet = Array.from({ length: 5 }, () => world.live());
    await Promise.all(fleet.map((dataPlane) => dataPlane.at('control-plane')));
    const [hash] = fleet.map((dataPlane) => dataPlane.hash);
    expect((await before.stop()).code).toBe(0);
    const relay = await world.startRelay({ listen, tripSeconds: 10 });
    await Promise.all(fleet.map((dataPlane) => dataPlane.at('control-plane')));
    expect(await relay.metric('kongfallback_relay_open_tunnels')).toBe(5);
    expect(new Set(fleet.map((dataPlane) => dataPlane.hash))).toEqual(new Set([hash]));
    // While nothing listened they were refused by the kernel; whoever was accepted was held until there was somebody.
    const failures = new Set(fleet.flatMap((dataPlane) => dataPlane.failures));
    expect([...failures].filter((message) => !message.includes('ECONNREFUSED'))).toEqual([]);
  });

  it('with all stores away and the control plane down: serves from its sealed copy', async () => {
    world = await RelayWorld.create({}, [documentNumber(1)]);
    world.site.pointAt(1);
    const before = await world.startRelay();
    await before.verdict('down');
    await (await world.dial()).applied();
    await before.kill();

    rmSync(world.site.store, { recursive: true });
    const relay = await world.startRelay();
    const cold = await world.dial();
    await cold.applied();
    expect([cold.origin, cold.frames.length]).toEqual(['stand-in', 1]);
    expect(await relay.ever('relay.provision')).toMatchObject({ origin: 'cache' });
    expect(await relay.status()).toMatchObject({ origin: { origin: 'cache' } });
  });

  it('with a store that hangs: the data plane that dials first is served from the sealed copy in its time', async () => {
    world = await RelayWorld.create({}, [largeDocument(12)]);
    world.site.pointAt(1);
    const before = await world.startRelay();
    await before.verdict('down');
    await (await world.dial()).applied();
    await before.stop();
    const hanging = await world.controlPlane(1, { behaviour: 'hang-tcp', port: 0 });
    world.site.pointAt(1);
    const storage = { use: 's3', bucket: 'b', region: 'r', endpoint: `http://127.0.0.1:${hanging.port}` };
    await world.startRelay(
      {},
      {
        storages: [{ ...storage, accessKeyId: 'a', secretAccessKey: 'b', forcePathStyle: true }],
      },
    );
    const cold = await world.dial();
    expect(await cold.received(1), (await world.relay.kill()).stderr).toBe(1);
  });

  it('with nothing at all is not ready, says why, and refuses data planes clearly', async () => {
    world = await RelayWorld.create();
    world.site.pointAt(1);
    rmSync(world.site.store, { recursive: true });
    const relay = await world.startRelay();
    await relay.verdict('down');
    await relay.ever('finding.raised', { finding: 'standing-copy-missing', about: '3.9.3' });
    const dataPlane = await world.dial();
    await dataPlane.closed;
    expect(dataPlane.frames).toEqual([]);
    const ready = await relay.get('/health/ready');
    expect([ready.status, await ready.text()]).toEqual([
      503,
      expect.stringContaining('no stored configuration'),
    ]);
    expect((await relay.get('/health/live')).status).toBe(200);
  });
});
