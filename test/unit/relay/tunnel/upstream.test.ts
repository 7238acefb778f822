import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type Address, parseAddress } from '../../../../src/kong/index.ts';
import { openUpstream } from '../../../../src/relay/tunnel/upstream.ts';
import { type Clock, systemClock } from '../../../../src/resilience/index.ts';
import { errorOf } from '../../snapshot/sample-head.ts';

const servers: Server[] = [];
const sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

async function serverAt(host = '127.0.0.1'): Promise<Address> {
  const server = createServer((socket) => sockets.push(socket.on('error', () => {})));
  servers.push(server.listen(0, host));
  await once(server, 'listening');
  return parseAddress(`${host}:${(server.address() as { port: number }).port}`);
}

async function closedPort(): Promise<Address> {
  const address = await serverAt();
  const closed = servers.pop()?.close();
  if (closed !== undefined) await once(closed, 'close');
  return address;
}

const NO_NAME = parseAddress('no-such-host.invalid:8005');

async function open(addresses: readonly Address[], clock: Clock = systemClock) {
  const { signal } = new AbortController();
  const upstream = await openUpstream(addresses, { connectMs: 3000, clock, signal });
  sockets.push(upstream.socket);
  return upstream;
}

describe('no address takes it', () => {
  it('refused', async () => {
    const address = await closedPort();
    const error = await errorOf(() => open([address]));
    expect(error).toMatchObject({ kind: 'unavailable', code: 'KF_CP_REFUSED_CONNECTION' });
    expect(error.message).toBe(`${address.text} refuses connections`);
  });

  it('several: the last one decides, all are named', async () => {
    const [first, last] = [NO_NAME, await closedPort()];
    const error = await errorOf(() => open([first, last]));
    expect(error).toMatchObject({ kind: 'unavailable', code: 'KF_CP_REFUSED_CONNECTION' });
    expect(error.message).toContain(first.host);
    expect(error.message).toContain(last.text);
    expect(error.hint).toContain('cluster_listen');
  });

  it('no answer: given up after connectMs, and the next one is tried', async () => {
    const asked: number[] = [];
    // Time is up before the kernel has answered.
    const sleep = async (ms: number) => void asked.push(ms);
    const [first, last] = [await serverAt(), await serverAt()];
    const error = await errorOf(() => open([first, last], { ...systemClock, sleep }));
    expect(error).toMatchObject({ kind: 'unavailable', code: 'KF_CP_CONNECT_TIMEOUT' });
    expect(error.message).toBe(
      `${first.text} does not answer within 3000 ms; ${last.text} does not answer within 3000 ms`,
    );
    expect(asked).toEqual([3000, 3000]);
  });

  it('none is given', async () => {
    expect(await errorOf(() => open([]))).toMatchObject({ kind: 'unavailable', code: 'KF_CP_NOT_SET' });
  });

  it('stopped: the next address is not tried', async () => {
    const stop = new AbortController();
    const living = await serverAt();
    const first = await serverAt();
    const opening = errorOf(() =>
      openUpstream([first, living], { connectMs: 3000, clock: systemClock, signal: stop.signal }),
    );
    stop.abort();
    expect((await opening).kind).toBe('aborted');
    expect(sockets).toHaveLength(0);
  });
});

describe('opened', () => {
  it('the first that takes it, in order; the socket is paused, what comes is kept', async () => {
    const [dead, living, other] = [await closedPort(), await serverAt(), await serverAt()];
    const { address, socket } = await open([dead, living, other]);
    expect(address).toBe(living);
    expect(socket.isPaused()).toBe(true);
    while (sockets.length < 2) await new Promise((resolve) => setImmediate(resolve));
    sockets.find((one) => one !== socket)?.write('early');
    const [chunk] = (await once(socket.resume(), 'data')) as [Buffer];
    expect(chunk.toString()).toBe('early');
  });

  it('a name with several records: the one that answers', async () => {
    const { port } = await serverAt();
    const { address } = await open([parseAddress(`localhost:${port}`)]);
    expect(address.text).toBe(`localhost:${port}`);
  });

  it('an error before somebody listens does not end the process', async () => {
    const living = await serverAt();
    const { socket } = await open([living]);
    socket.resume();
    while (sockets.length < 2) await new Promise((resolve) => setImmediate(resolve));
    sockets.find((one) => one !== socket)?.resetAndDestroy();
    await new Promise<void>((resolve) => socket.once('close', () => resolve()));
    expect(socket.destroyed).toBe(true);
  });
});
