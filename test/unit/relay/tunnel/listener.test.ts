import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Listener, type ListenerOptions } from '../../../../src/relay/tunnel/listener.ts';
import { FakeClock } from '../../../../src/testing/index.ts';
import { errorOf } from '../../snapshot/sample-head.ts';

let clock: FakeClock;
let logged: Record<string, unknown>[];
const opened: (Listener | Socket)[] = [];

beforeEach(() => {
  clock = new FakeClock();
  logged = [];
});

afterEach(async () => {
  for (const one of opened.splice(0)) {
    if (one instanceof Listener) await one.close();
    else one.destroy();
  }
});

function listener(changes: Partial<ListenerOptions> = {}): Listener {
  const write = (line: object) => logged.push(line as Record<string, unknown>);
  const made = new Listener({
    listen: '127.0.0.1:0',
    setting: 'relay.listen',
    maxConnections: 10,
    onConnection: () => {},
    clock,
    log: { debug: write, info: write, warn: write, error: write },
    ...changes,
  });
  opened.push(made);
  return made;
}

async function dial(address: string): Promise<Socket> {
  const socket = connect(Number(address.split(':').at(-1)), '127.0.0.1');
  socket.on('error', () => {});
  opened.push(socket);
  await once(socket, 'connect');
  return socket;
}

/** What is answered to a connection that says nothing; empty when it was cut. */
async function question(address: string): Promise<string> {
  const socket = connect(Number(address.split(':').at(-1)), '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk;
  });
  socket.on('error', () => {}).end();
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return answer;
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('refused at the start', () => {
  it('a port in use, naming it, the setting and what to do', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const error = await errorOf(() => listener({ listen: `127.0.0.1:${port}` }).start());
    expect(error).toMatchObject({ kind: 'unavailable', code: 'KF_RELAY_LISTEN' });
    expect(error.message).toBe(`relay.listen: 127.0.0.1:${port} is in use`);
    expect(error.hint).toContain('set relay.listen');
    other.close();
  });

  it('an address that this machine does not have', async () => {
    const error = await errorOf(() =>
      listener({ listen: '192.0.2.1:0', setting: 'relay.listeners.0.listen' }).start(),
    );
    expect(error).toMatchObject({ kind: 'invalid', code: 'KF_RELAY_LISTEN' });
    expect(error.message).toContain('relay.listeners.0.listen: cannot listen on 192.0.2.1:0');
  });
});

describe('too many', () => {
  it('are closed at once and said once a minute, with their number; those before them stay', async () => {
    const made = listener({ maxConnections: 1 });
    const address = await made.start();
    const first = await dial(address);
    const turnedAway = async () => {
      const socket = await dial(address);
      socket.resume();
      await once(socket, 'close');
    };
    await turnedAway();
    expect(logged).toEqual([
      { event: 'relay.turned-away', listen: '127.0.0.1:0', count: 1, maxConnections: 1 },
    ]);
    for (let n = 0; n < 3; n++) await turnedAway();
    await clock.advance(59_999);
    expect(logged).toHaveLength(1);
    await clock.advance(1);
    expect(logged[1]).toMatchObject({ event: 'relay.turned-away', count: 3 });
    await clock.advance(600_000);
    expect(logged).toHaveLength(2);
    expect([made.connections, first.destroyed]).toEqual([1, false]);
    await turnedAway();
    expect(logged[2]).toMatchObject({ count: 1 });
  });

  it('one that left makes room', async () => {
    const sockets: Socket[] = [];
    const made = listener({ maxConnections: 1, onConnection: (socket) => sockets.push(socket) });
    const address = await made.start();
    (await dial(address)).destroy();
    const [first] = sockets;
    first?.resume();
    first?.once('end', () => first.end());
    if (first !== undefined) await once(first, 'close');
    expect(made.connections).toBe(0);
    await dial(address);
    expect(made.connections).toBe(1);
    expect(logged).toEqual([]);
  });

  it('out of file descriptors: it goes on when there are some again', { timeout: 30_000 }, async () => {
    const program = fileURLToPath(new URL('./listener-full-process.ts', import.meta.url));
    const child = spawn(
      'bash',
      [
        '-c',
        `ulimit -n 40; exec "$0" --import tsx --conditions=kongfallback-source "$1"`,
        process.execPath,
        program,
      ],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const next = async () => JSON.parse((await lines.next()).value ?? '{}') as Record<string, unknown>;
    const { address } = await next();
    const crowd = await Promise.all(Array.from({ length: 60 }, () => dial(String(address))));
    for (const socket of crowd) socket.resume();
    // libuv closes whom it has no descriptor for, and says nothing of it.
    while (!crowd.some(({ destroyed }) => destroyed)) await turn();
    expect(crowd.every(({ destroyed }) => destroyed)).toBe(false);
    for (const socket of crowd) socket.destroy();
    let answer = '';
    while (answer === '') answer = await question(String(address));
    expect(answer).toBe('served');
    child.stdin.end();
    const [exitCode] = await once(child, 'exit');
    expect(exitCode).toBe(0);
  });
});

it('an error of accept is said, and is no end', async () => {
  const made = listener({
    onConnection: (socket) => {
      const { server } = socket as Socket & { server: Server };
      for (let n = 0; n < 5; n++) {
        server.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }));
      }
      socket.destroy();
    },
  });
  const address = await made.start();
  const closed = async () => once((await dial(address)).resume(), 'close');
  await closed();
  const line = { event: 'relay.accept-failed', listen: '127.0.0.1:0', code: 'EMFILE' };
  expect(logged).toEqual([{ ...line, count: 1 }]);
  await clock.advance(60_000);
  expect(logged.slice(1)).toEqual([{ ...line, count: 4 }]);
  await closed();
});

describe('sockets', () => {
  it('come paused, and keep what was sent', async () => {
    const sockets: Socket[] = [];
    const made = listener({ onConnection: (socket) => sockets.push(socket) });
    const dialled = await dial(await made.start());
    dialled.write('hello');
    while (sockets.length === 0) await turn();
    const [socket] = sockets;
    expect(socket?.isPaused()).toBe(true);
    expect(socket?.bytesRead).toBe(0);
    socket?.resume();
    const [chunk] = socket === undefined ? [] : ((await once(socket, 'data')) as [Buffer]);
    expect(chunk?.toString()).toBe('hello');
  });

  it('one that nobody has taken yet may fail', async () => {
    const sockets: Socket[] = [];
    const made = listener({ onConnection: (socket) => sockets.push(socket) });
    const dialled = await dial(await made.start());
    while (sockets.length === 0) await turn();
    sockets[0]?.resume();
    dialled.resetAndDestroy();
    while (made.connections > 0) await turn();
    expect(sockets[0]?.destroyed).toBe(true);
  });

  it('stay when nothing more is accepted, and are cut at the close', async () => {
    const made = listener();
    const address = await made.start();
    const dialled = await dial(address);
    while (made.connections === 0) await turn();
    made.stopAccepting();
    const [refused] = (await once(connect(Number(address.split(':')[1]), '127.0.0.1'), 'error')) as [Error];
    expect(refused).toMatchObject({ code: 'ECONNREFUSED' });
    expect(dialled.destroyed).toBe(false);
    dialled.resume();
    await Promise.all([made.close(), once(dialled, 'close')]);
    expect(made.connections).toBe(0);
    await made.close();
  });

  it('its address is told as it can be dialled, IPv6 too', async () => {
    expect(await listener().start()).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(await listener({ listen: '[::1]:0' }).start()).toMatch(/^\[::1\]:\d+$/);
  });
});
