// Whole sessions of hybrid mode through a tunnel: the control plane of the tests, and our own client as the data plane.
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { parseAddress } from '../../../../src/kong/index.ts';
import { Listener } from '../../../../src/relay/tunnel/listener.ts';
import { Tunnel } from '../../../../src/relay/tunnel/tunnel.ts';
import { openUpstream } from '../../../../src/relay/tunnel/upstream.ts';
import { systemClock } from '../../../../src/resilience/index.ts';
import { FakeClock } from '../../../../src/testing/index.ts';
import type { StandInControlPlane } from '../../../stand-in/control-plane.ts';
import { recordedFrame } from '../../../stand-in/frames.ts';
import { failureOf, session, standIn } from '../../kong/session-fixture.ts';

const listeners: Listener[] = [];

afterEach(async () => {
  for (const listener of listeners.splice(0)) await listener.close();
});

const log = { debug() {}, info() {}, warn() {}, error() {} };

/** A relay that does nothing but let through. */
async function relayTo(controlPlane: StandInControlPlane) {
  const clock = new FakeClock();
  const tunnels: Promise<Tunnel>[] = [];
  const join = async (socket: ConstructorParameters<typeof Tunnel>[0]) => {
    const { signal } = new AbortController();
    const addresses = [parseAddress(controlPlane.address)];
    const upstream = await openUpstream(addresses, { connectMs: 3000, clock: systemClock, signal });
    return new Tunnel(socket, upstream.socket, { clock });
  };
  const listener = new Listener({
    listen: '127.0.0.1:0',
    setting: 'relay.listen',
    maxConnections: 10,
    onConnection: (socket) => tunnels.push(join(socket)),
    clock,
    log,
  });
  listeners.push(listener);
  const address = await listener.start();
  const tunnel = async (): Promise<Tunnel> => {
    const [first] = tunnels;
    if (first === undefined) throw new Error('nobody dialled');
    return first;
  };
  return { address, clock, tunnel };
}

async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending');
  return (await Promise.race([promise, Promise.resolve(pending)])) === pending;
}

describe('nothing is carried', () => {
  it('by a control plane that accepts and says nothing: no answer after 5 s', async () => {
    const controlPlane = await standIn({ behaviour: 'hang-tcp' });
    const { address, clock, tunnel } = await relayTo(controlPlane);
    const failed = failureOf(session(address, { connectMs: 500, clock: systemClock }));
    while (controlPlane.connections === 0) await once(controlPlane, 'connection');
    const opened = await tunnel();
    while (opened.bytesUp === 0) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(5000);
    expect(await opened.answered).toBe(false);
    expect(await failed).toBe('unavailable KF_CP_TLS_TIMEOUT');
    expect(await opened.carried).toBeUndefined();
  });

  it('by one that drops our certificate', async () => {
    const { address, tunnel } = await relayTo(await standIn({ behaviour: 'reset-tls' }));
    expect(await failureOf(session(address))).toBe('denied KF_CP_CERTIFICATE_REFUSED');
    const opened = await tunnel();
    expect([await opened.answered, await opened.carried]).toEqual([true, undefined]);
    await opened.ended;
  });

  it('by one that answers pings only', async () => {
    const controlPlane = await standIn({ behaviour: 'silent' });
    const { address, tunnel } = await relayTo(controlPlane);
    const one = await session(address);
    const opened = await tunnel();
    const before = opened.bytesDown;
    while (opened.bytesDown === before) await new Promise((resolve) => setImmediate(resolve));
    expect(await opened.answered).toBe(true);
    expect(await isPending(opened.carried)).toBe(true);
    await one.close();
    expect(await opened.carried).toBeUndefined();
  });

  it('by one that closes after the introduction', async () => {
    const { address, tunnel } = await relayTo(await standIn({ behaviour: 'refuse' }));
    const one = await session(address);
    expect(await failureOf(one.frames().next())).toBe('denied KF_CP_REFUSED');
    const opened = await tunnel();
    expect([await opened.answered, await opened.carried]).toEqual([true, undefined]);
  });

  it('by one that knows no such path', async () => {
    const { address, tunnel } = await relayTo(await standIn({ status: 404 }));
    expect(await failureOf(session(address))).toBe('unsupported KF_CP_NOT_HYBRID');
    expect(await (await tunnel()).carried).toBeUndefined();
  });

  it('for somebody who speaks no TLS', async () => {
    const { address, tunnel } = await relayTo(await standIn());
    const socket = connect(Number(address.split(':').at(-1)), '127.0.0.1');
    socket.end('GET / HTTP/1.1\r\n\r\n');
    await once(socket.resume(), 'close');
    expect(await (await tunnel()).carried).toBeUndefined();
  });
});

describe('carried', () => {
  it.each(['empty', 'mixed', 'bulk15k'])('the recorded configuration "%s", unchanged', async (name) => {
    const frame = recordedFrame(name);
    const controlPlane = await standIn({ frames: frame });
    const { address, tunnel } = await relayTo(controlPlane);
    const one = await session(address);
    const { value } = await one.frames().next();
    expect(Buffer.from(value?.bytes ?? []).equals(frame)).toBe(true);
    const opened = await tunnel();
    expect(await opened.carried).toBe(0);
    expect(await opened.answered).toBe(true);
    expect(controlPlane.requests.map(({ serverName }) => serverName)).toEqual(['kong_clustering']);
  });

  it('a control plane that is killed then is who ended it', async () => {
    const controlPlane = await standIn();
    const { address, tunnel } = await relayTo(controlPlane);
    const one = await session(address);
    await one.frames().next();
    await controlPlane.close();
    expect(await (await tunnel()).ended).toMatchObject({ by: 'control-plane' });
  });
});
