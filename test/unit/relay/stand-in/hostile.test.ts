import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeClock } from '../../../../src/testing/fake-clock.ts';
import { clusterCertificate } from '../../../stand-in/certificates.ts';
import { secured } from '../../../stand-in/data-plane.ts';
import { recordedProvision, StandInAtWork } from '../../../stand-in/data-plane-relay.ts';
import { OUTLET, quietDataPlane, silentDataPlane } from './clients.ts';

const HASH = recordedProvision('mixed').configHash as string;
const UPGRADE = 'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n';
const KEY = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

let atWork: StandInAtWork;
let clock: FakeClock;
const raws: Socket[] = [];

beforeEach(async () => {
  clock = new FakeClock();
  atWork = await StandInAtWork.start({ clock });
});
afterEach(async () => {
  for (const raw of raws.splice(0)) raw.destroy();
  await atWork.stop();
});

const codes = () => atWork.events('relay.data-plane-refused').map(({ code }) => code);
const isServed = async () => {
  const dataPlane = await atWork.connect();
  expect(await dataPlane.applied()).toBe(HASH);
  await dataPlane.close();
};

async function rawConnection(): Promise<Socket> {
  const raw = connect(atWork.port, '127.0.0.1');
  raw.on('error', () => {}).resume();
  raws.push(raw);
  await once(raw, 'connect');
  return raw;
}

/** What is answered to these bytes inside TLS, until the socket is closed. */
async function answerTo(bytes: string | Buffer): Promise<string> {
  const socket = await secured({ port: atWork.port, certificate: atWork.certificate });
  let text = '';
  socket.on('data', (data) => {
    text += data.toString('latin1');
  });
  const closed = once(socket, 'close');
  socket.write(bytes);
  await closed;
  return text;
}

describe('without TLS', () => {
  test('a thousand sockets that say nothing: good data planes are served, and they are closed after 5 s', async () => {
    await Promise.all(Array.from({ length: 1000 }, rawConnection));
    await expect.poll(() => atWork.standIn.state().handshakes).toBe(1000);
    await isServed();
    await clock.advance(5200);
    await expect.poll(() => atWork.sockets.size).toBe(0);
    expect(codes()).toEqual(['KF_RELAY_HANDSHAKE_TIMEOUT']);
    expect(atWork.standIn.state()).toMatchObject({ open: 0, refused: { KF_RELAY_HANDSHAKE_TIMEOUT: 1000 } });
  });

  test('hundreds that begin a handshake and stop hold their turns for a moment only', async () => {
    const hello = await clientHello();
    const stopped = await Promise.all(Array.from({ length: 300 }, rawConnection));
    for (const raw of stopped) raw.write(hello);
    await expect.poll(() => atWork.standIn.state().handshakes).toBe(300);
    const good = atWork.connect();
    for (let turn = 0; turn < 8; turn++) await clock.advance(200);
    expect(await (await good).applied()).toBe(HASH);
    await clock.advance(6000);
    await expect.poll(() => atWork.sockets.size).toBe(1);
    expect(codes()).toEqual(['KF_RELAY_HANDSHAKE_TIMEOUT']);
  });

  test('a process without CPU time begins no further handshakes, as all of them would fail', async () => {
    const hello = await clientHello();
    const slow = await Promise.all(Array.from({ length: 100 }, rawConnection));
    for (const raw of slow) raw.write(hello);
    await expect.poll(() => atWork.standIn.state().handshakes).toBe(100);
    let isConnected = false;
    const good = atWork.connect().then((dataPlane) => {
      isConnected = true;
      return dataPlane;
    });
    for (let turn = 0; turn < 3; turn++) {
      clock.jump(700);
      await clock.advance(0);
    }
    expect(isConnected).toBe(false);
    await clock.advance(400);
    await (await good).applied();
  });

  test('more arrivals than there is room for: the oldest that does not speak makes it', async () => {
    await atWork.stop();
    atWork = await StandInAtWork.start({ clock, limits: { maxArrivals: 10 } });
    for (let n = 0; n < 30; n++) await rawConnection();
    await expect.poll(() => atWork.standIn.state().handshakes).toBe(10);
    await isServed();
  });

  test('bytes that are no TLS', async () => {
    const raw = await rawConnection();
    const closed = once(raw, 'close');
    raw.write('GET / HTTP/1.1\r\n\r\n');
    await closed;
    expect(codes()).toEqual(['KF_RELAY_TLS_FAILED']);
    expect(atWork.standIn.state().open).toBe(0);
  });

  test('a handshake of one byte at a time ends at its deadline', async () => {
    const hello = await clientHello();
    const raw = await rawConnection();
    for (let second = 0; second < 6; second++) {
      raw.write(hello.subarray(second, second + 1));
      await clock.advance(1000);
    }
    await expect.poll(() => atWork.sockets.size).toBe(0);
    expect(codes()).toEqual(['KF_RELAY_HANDSHAKE_TIMEOUT']);
  });

  test('connecting and closing, as balancers look for life, is not worth a line', async () => {
    for (let n = 0; n < 5; n++) (await rawConnection()).end();
    await expect.poll(() => atWork.sockets.size).toBe(0);
    expect(atWork.lines).toEqual([]);
  });

  test('above the limit of connections', async () => {
    await atWork.stop();
    atWork = await StandInAtWork.start({ clock, limits: { maxConnections: 2 } });
    await Promise.all([atWork.connect(), atWork.connect()]);
    await expect(atWork.connect()).rejects.toThrow();
    expect(codes()).toEqual(['KF_RELAY_BUSY']);
  });
});

describe('certificates', () => {
  test('another one: dropped without an HTTP byte', async () => {
    const foreign = clusterCertificate();
    const socket = await secured({
      port: atWork.port,
      certificate: foreign,
      ca: atWork.certificate.certificate,
    });
    let bytes = 0;
    socket.on('data', (data) => {
      bytes += data.length;
    });
    await once(socket, 'close');
    expect(bytes).toBe(0);
    expect(codes()).toEqual(['KF_TEST_CERTIFICATE']);
  });

  test('a thousandth wrong one costs no further line within 10 s; the next line tells their number', async () => {
    const foreign = {
      certificate: clusterCertificate(),
      ca: atWork.certificate.certificate,
      port: atWork.port,
    };
    const refused = async () => void (await once(await secured(foreign), 'close'));
    for (let n = 0; n < 5; n++) await refused();
    expect(codes()).toHaveLength(1);
    await clock.advance(10_000);
    await refused();
    expect(atWork.events('relay.data-plane-refused')[1]).toMatchObject({ leftOut: 4 });
    expect(atWork.standIn.state().refused).toEqual({ KF_TEST_CERTIFICATE: 6 });
  });
});

describe('HTTP', () => {
  test.each([
    ['no HTTP', '\u0000\u0001\u0002\r\n\r\n', ''],
    ['headers above 8 KB', `GET ${OUTLET} HTTP/1.1\r\nX: ${'x'.repeat(9000)}\r\n\r\n`, ''],
    ['another path', 'GET /admin HTTP/1.1\r\nHost: x\r\n\r\n', 'HTTP/1.1 404'],
    ['another path, upgraded', `GET /v1/other HTTP/1.1\r\nHost: x\r\n${UPGRADE}${KEY}\r\n`, 'HTTP/1.1 404'],
    ['an outlet without an upgrade', `GET ${OUTLET} HTTP/1.1\r\nHost: x\r\n\r\n`, 'HTTP/1.1 400'],
    ['no WebSocket key', `GET ${OUTLET} HTTP/1.1\r\nHost: x\r\n${UPGRADE}\r\n`, 'HTTP/1.1 400'],
    ['a body without end', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nx', 'HTTP/1.1 404'],
    ['CONNECT', 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n', ''],
  ])('%s', async (_name, bytes, beginning) => {
    const answer = await answerTo(bytes);
    if (beginning === '') expect(answer).not.toContain('101');
    expect(answer.slice(0, beginning.length)).toBe(beginning);
    await expect.poll(() => atWork.sockets.size).toBe(0);
    expect(codes().length).toBeLessThanOrEqual(1);
    await isServed();
  });

  test('a request that never ends', async () => {
    const socket = await secured({ port: atWork.port, certificate: atWork.certificate });
    const closed = once(socket, 'close');
    socket.write(`GET ${OUTLET} HTTP/1.1\r\nHost:`);
    for (let second = 0; second < 6; second++) {
      socket.write('x');
      await clock.advance(1000);
    }
    await closed;
    expect(codes()).toEqual(['KF_RELAY_HANDSHAKE_TIMEOUT']);
  });

  test('what a client says of itself forges no line', async () => {
    const path = `/v1/outlet?node_id=%0a%1b[31m&node_hostname=${'h'.repeat(1000)}%0d%0a&node_version=3.9.3`;
    const dataPlane = await silentDataPlane(atWork, path);
    dataPlane.websocket.send('text');
    await dataPlane.closed;
    const [line] = atWork.events('relay.data-plane-refused');
    expect(line?.['nodeId']).toBe('\\u000a\\u001b[31m');
    expect(String(line?.['hostname'])).toHaveLength(200);
  });
});

describe('after the 101', () => {
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

  test.each([
    ['not JSON', '{"type":', 'KF_RELAY_BASIC_INFO_INVALID'],
    ['not an object', '[]', 'KF_RELAY_BASIC_INFO_INVALID'],
    ['null', 'null', 'KF_RELAY_BASIC_INFO_INVALID'],
    ['nothing', '', 'KF_RELAY_BASIC_INFO_INVALID'],
    ['another type', '{"type":"hello","plugins":[]}', 'KF_RELAY_BASIC_INFO_INVALID'],
    [
      'a type by prototype',
      '{"__proto__":{"type":"basic_info","plugins":[]}}',
      'KF_RELAY_BASIC_INFO_INVALID',
    ],
    ['plugins that are none', '{"type":"basic_info","plugins":{}}', 'KF_RELAY_BASIC_INFO_INVALID'],
    ['no plugins', '{"type":"basic_info"}', 'KF_RELAY_BASIC_INFO_INVALID'],
    ['depth', nested(500_000), 'KF_RELAY_BASIC_INFO_INVALID'],
    ['above 1 MiB', 'x'.repeat(1_048_577), 'KF_RELAY_PROTOCOL_ERROR'],
    [
      'plugins of every kind',
      '{"type":"basic_info","plugins":[null,1,"a",[],{"name":{}},{"name":"x"}]}',
      'KF_RELAY_PLUGIN_MISSING',
    ],
    [
      'too many plugins',
      `{"type":"basic_info","plugins":[${'1,'.repeat(5000)}1]}`,
      'KF_RELAY_BASIC_INFO_INVALID',
    ],
  ])('basic_info: %s', async (_name, text, code) => {
    const dataPlane = await silentDataPlane(atWork);
    dataPlane.websocket.send(Buffer.from(text), { binary: true });
    await expect.poll(codes).toEqual([code]);
    if (code !== 'KF_RELAY_PLUGIN_MISSING') await dataPlane.closed;
    dataPlane.websocket.terminate();
    await isServed();
  });

  test('a text frame in its place', async () => {
    const dataPlane = await silentDataPlane(atWork);
    dataPlane.websocket.send('{"type":"basic_info","plugins":[]}');
    await dataPlane.closed;
    expect(codes()).toEqual(['KF_RELAY_BASIC_INFO_INVALID']);
  });

  test('a ping in its place', async () => {
    const dataPlane = await silentDataPlane(atWork);
    dataPlane.websocket.ping('0'.repeat(32));
    await dataPlane.closed;
    expect(codes()).toEqual(['KF_RELAY_PROTOCOL_ERROR']);
    expect(dataPlane.pongs).toEqual([]);
  });

  test('a message in fragments without end', async () => {
    const dataPlane = await silentDataPlane(atWork);
    const send = () => dataPlane.websocket.send(Buffer.alloc(0), { binary: true, fin: false });
    for (let n = 0; n < 100; n++) send();
    await dataPlane.closed;
    expect(codes()).toEqual(['KF_RELAY_PROTOCOL_ERROR']);
  });

  test('frames that are not masked', async () => {
    const dataPlane = await silentDataPlane(atWork);
    dataPlane.socket.write(Buffer.from([0x82, 2, 0x7b, 0x7d]));
    await dataPlane.closed;
    expect(codes()).toEqual(['KF_RELAY_PROTOCOL_ERROR']);
  });

  test('a flood of pings that reads no pongs ends, and has not filled the memory', async () => {
    const dataPlane = await quietDataPlane(atWork);
    dataPlane.websocket.ping(HASH);
    await expect.poll(() => dataPlane.pongs.length).toBe(1);
    dataPlane.socket.pause();
    for (let n = 0; n < 5000; n++) dataPlane.websocket.ping(HASH);
    await expect.poll(codes).toEqual(['KF_RELAY_PROTOCOL_ERROR']);
    await clock.advance(1400);
    await expect.poll(() => atWork.sockets.size).toBe(0);
    await isServed();
  });

  test('error messages of konnect_mode are logged, fit for a log, and not without end', async () => {
    const dataPlane = await quietDataPlane(atWork);
    const error = { name: 'declarative configuration parse failure', message: `in 'x':\n${'y'.repeat(500)}` };
    dataPlane.introduce({ type: 'error', error });
    await expect.poll(() => atWork.events('relay.data-plane-error')).toHaveLength(1);
    const [line] = atWork.events('relay.data-plane-error');
    expect(line).toMatchObject({ error: error.name, hostname: 'odd' });
    expect(line?.['reason']).toMatch(/^in 'x':\\u000ay+$/);
    for (let n = 0; n < 100; n++) dataPlane.introduce({ type: 'error', error: null });
    await dataPlane.closed;
    expect(codes()).toEqual(['KF_RELAY_PROTOCOL_ERROR']);
    expect(atWork.events('relay.data-plane-error').length).toBeLessThanOrEqual(64);
  });

  test('pings of an odd length are answered like any other', async () => {
    const dataPlane = await quietDataPlane(atWork);
    dataPlane.websocket.ping('abc');
    await expect.poll(() => dataPlane.pongs.length).toBe(1);
    expect(atWork.standIn.sessions()[0]).toMatchObject({ state: 'ahead', hash: 'abc' });
  });

  test('renegotiation ends the connection', async () => {
    const socket = await secured({
      port: atWork.port,
      certificate: atWork.certificate,
      maxVersion: 'TLSv1.2',
    });
    socket.on('error', () => {});
    const closed = once(socket, 'close');
    socket.write(`GET ${OUTLET} HTTP/1.1\r\nHost: x\r\n${UPGRADE}${KEY}\r\n`);
    await once(socket, 'data');
    socket.renegotiate({}, () => {});
    await closed;
    await expect.poll(() => atWork.standIn.state().open).toBe(0);
  });
});

async function clientHello(): Promise<Buffer> {
  const { createServer } = await import('node:net');
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const connection = once(server, 'connection');
  const attempt = secured({ port, certificate: atWork.certificate }).catch(() => {});
  const [socket] = (await connection) as [Socket];
  const [hello] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  server.close();
  await attempt;
  return hello;
}
