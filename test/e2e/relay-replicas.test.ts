// Two relays behind something that chooses one of them in turn, as a Kubernetes Service does.
import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { RelayWorld } from './relay-world.ts';

let world: RelayWorld;
afterEach(() => world.end());

it('one is killed under load: its data planes find the other, and lose nothing', async () => {
  world = await RelayWorld.create();
  const controlPlane = await world.controlPlane(1);
  const first = await world.startRelay();
  const second = await world.startRelay({ cacheDirectory: 'relay-cache-2' });
  await Promise.all([first.verdict('up'), second.verdict('up')]);
  const chosen = [0, 0];
  const chooser = await roundRobin([first.port, second.port], chosen);
  world.defer(() => chooser.close());
  const { port } = chooser.address() as { port: number };
  const fleet = Array.from({ length: 10 }, () => world.live(() => ({ port })));
  await Promise.all(fleet.map((dataPlane) => dataPlane.at('control-plane')));
  expect(chosen.every((count) => count > 0)).toBe(true);
  const hash = fleet[0]?.hash;

  const onFirst = (await first.metric('kongfallback_relay_open_tunnels')) ?? 0;
  expect(onFirst).toBeGreaterThan(0);
  const left = whenSoManyOf(
    fleet.map(({ session }) => session?.closed),
    onFirst,
  );
  await first.kill();
  await left;
  await Promise.all(fleet.map((dataPlane) => dataPlane.at('control-plane')));
  expect(new Set(fleet.map((dataPlane) => dataPlane.hash))).toEqual(new Set([hash]));
  expect(await second.metric('kongfallback_relay_open_tunnels')).toBe(10);

  await controlPlane.close();
  await second.verdict('down');
  await Promise.all(fleet.map((dataPlane) => dataPlane.at('stand-in')));
  expect(new Set(fleet.map((dataPlane) => dataPlane.hash))).toEqual(new Set([hash]));
  // They came with it, each time: the stand-in sent not one configuration.
  expect(await second.metric('kongfallback_relay_stand_in_sent_bytes_total')).toBe(0);
});

/** Have ended. */
function whenSoManyOf(ends: readonly (Promise<unknown> | undefined)[], count: number): Promise<void> {
  let ended = 0;
  return new Promise((resolve) => {
    for (const end of ends) void end?.then(() => ++ended === count && resolve());
  });
}

/** Chooses in turn, and the other one where the first takes no connection. */
async function roundRobin(ports: readonly number[], chosen: number[]): Promise<Server> {
  let turn = 0;
  const chooser = createServer({ pauseOnConnect: true }, (client) => {
    client.on('error', () => {});
    const at = turn++ % ports.length;
    const tryAt = (index: number, left: number): void => {
      const upstream = connect(ports[index] ?? 0, '127.0.0.1');
      const failed = () => (left > 0 ? tryAt((index + 1) % ports.length, left - 1) : client.destroy());
      upstream.once('error', failed).once('connect', () => {
        upstream.off('error', failed).on('error', () => client.destroy());
        chosen[index] = (chosen[index] ?? 0) + 1;
        client.pipe(upstream).pipe(client);
        client.once('close', () => upstream.destroy());
        upstream.once('close', () => client.destroy());
      });
    };
    tryAt(at, ports.length - 1);
  }).listen(0, '127.0.0.1');
  await once(chooser, 'listening');
  return chooser;
}
