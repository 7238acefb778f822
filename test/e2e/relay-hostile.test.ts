// Strangers at the relay's port: good data planes notice nothing.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { clusterCertificate } from '../stand-in/certificates.ts';
import { RelayWorld } from './relay-world.ts';

const STRANGERS = 1000;
const MOST_GROWTH_BYTES = 96 * 1_048_576;

let world: RelayWorld;
const strangers: Socket[] = [];
beforeAll(async () => {
  world = await RelayWorld.create();
});
afterEach(async () => {
  for (const socket of strangers.splice(0)) socket.destroy();
  await world.clear();
});
afterAll(() => world.end());

/** They connect and say nothing, or half of a greeting, or noise. */
async function arrive(count: number): Promise<void> {
  const says = [
    undefined,
    Buffer.from([0x16, 0x03, 0x01, 0x02]),
    randomBytes(512),
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
  ];
  for (let n = 0; n < count; n++) {
    const socket = connect(world.relay.port, '127.0.0.1').on('error', () => {});
    strangers.push(socket);
    await Promise.race([once(socket, 'connect'), once(socket, 'close')]);
    const said = says[n % says.length];
    if (said !== undefined) socket.write(said);
    socket.resume();
  }
}

describe('a thousand half-open sockets and garbage', () => {
  it('while the stand-in serves', async () => {
    world.site.pointAt(1);
    const relay = await world.startRelay();
    await relay.verdict('down');
    const standing = await world.dial();
    await standing.applied();
    const before = (await relay.metric('kongfallback_process_resident_memory_bytes')) ?? 0;
    const arriving = arrive(STRANGERS);
    const good = [];
    for (let n = 0; n < 10; n++) {
      const dataPlane = await world.dial();
      await dataPlane.applied();
      good.push(dataPlane);
    }
    await arriving;
    await expect(
      world.dial({ certificate: clusterCertificate(), ca: world.site.certificate.certificate }),
    ).rejects.toThrow();
    const last = await world.dial();
    await last.applied();
    expect([...good, last].map(({ frames, origin }) => [frames.length, origin])).toEqual(
      Array(11).fill([1, 'stand-in']),
    );
    standing.ping();
    await once(standing, 'pong');
    const grown = ((await relay.metric('kongfallback_process_resident_memory_bytes')) ?? 0) - before;
    expect(grown).toBeLessThan(MOST_GROWTH_BYTES);
    // A line for a code, not for a socket.
    expect(relay.events('relay.data-plane-refused').length).toBeLessThan(20);
    expect((await relay.stop()).code).toBe(0);
  });

  it('while the control plane is up: who speaks is not kept waiting by who does not', async () => {
    await world.controlPlane(1);
    const relay = await world.startRelay({ tripSeconds: 10 });
    await relay.verdict('up');
    const arriving = arrive(200);
    await arriving;
    const good = await world.dial();
    await good.applied();
    expect(good.origin).toBe('control-plane');
    expect(relay.events('relay.verdict', { verdict: 'down' })).toEqual([]);
  });
});
