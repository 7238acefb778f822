// What real data planes sent (data-plane/*.log), sent to the stand-in byte for byte as far as it was recorded.
import { once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { peekFrame } from '../../../src/kong/index.ts';
import { FakeClock } from '../../../src/testing/fake-clock.ts';
import { secured } from '../../stand-in/data-plane.ts';
import { recordedProvision, StandInAtWork } from '../../stand-in/data-plane-relay.ts';
import { recordedFile, recordedFrame } from '../../stand-in/frames.ts';

const ZEROS = '0'.repeat(32);
const basicInfo = recordedFile('data-plane/basic-info.json');

/** One session of a log: how it asked, and what it pinged. */
interface RecordedSession {
  readonly path: string;
  readonly headers: readonly string[];
  readonly pings: readonly string[];
}

function sessionsOf(log: string): RecordedSession[] {
  const text = recordedFile(`data-plane/${log}.log`).toString();
  return [...text.matchAll(/UPGRADE#(\d+) (\S+) (\[.*\])/g)].map(([, number, path = '', headers = '[]']) => ({
    path,
    headers: JSON.parse(headers) as string[],
    pings: [...text.matchAll(new RegExp(`PING#${number} (\\S+)`, 'g'))].map(([, hash]) => hash ?? ''),
  }));
}

/** Speaks as recorded, and keeps what it is answered. */
class Replay {
  readonly #socket: TLSSocket;
  #received = Buffer.alloc(0);
  closed = false;

  static async start(atWork: StandInAtWork, { path, headers }: RecordedSession): Promise<Replay> {
    const socket = await secured({ port: atWork.port, certificate: atWork.certificate });
    const lines = headers.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${headers[i + 1]}`] : []));
    socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
    const replay = new Replay(socket);
    await expect.poll(() => replay.answer).not.toBe('');
    return replay;
  }

  private constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.on('data', (data) => {
      this.#received = Buffer.concat([this.#received, data]);
    });
    socket.on('close', () => {
      this.closed = true;
    });
  }

  /** The head of the answer. */
  get answer(): string {
    const end = this.#received.indexOf('\r\n\r\n');
    return end === -1 ? '' : this.#received.toString('latin1', 0, end);
  }

  /** Whole frames from the server: first byte and payload. */
  get frames(): { first: number; payload: Buffer }[] {
    const frames: { first: number; payload: Buffer }[] = [];
    let at = this.#received.indexOf('\r\n\r\n') + 4;
    for (;;) {
      const [first, second] = [this.#received[at], this.#received[at + 1]];
      if (first === undefined || second === undefined) return frames;
      const extended = second === 126 ? 2 : second === 127 ? 8 : 0;
      if (at + 2 + extended > this.#received.length) return frames;
      const length =
        extended === 0
          ? second
          : Number(BigInt(`0x${this.#received.toString('hex', at + 2, at + 2 + extended)}`));
      const start = at + 2 + extended;
      if (start + length > this.#received.length) return frames;
      frames.push({ first, payload: this.#received.subarray(start, start + length) });
      at = start + length;
    }
  }

  get pongs(): number {
    return this.frames.filter(({ first, payload }) => first === 0x8a && payload.length === 0).length;
  }

  get configurations(): Buffer[] {
    return this.frames.filter(({ first }) => first === 0x82).map(({ payload }) => payload);
  }

  send(opcode: number, payload: Buffer): void {
    const length =
      payload.length < 126
        ? [0x80 | payload.length]
        : [0x80 | 126, payload.length >> 8, payload.length & 0xff];
    const mask = Buffer.from([1, 2, 3, 4]);
    const masked = payload.map((byte, i) => byte ^ (mask[i % 4] ?? 0));
    this.#socket.write(Buffer.concat([Buffer.from([0x80 | opcode, ...length]), mask, masked]));
  }

  async ping(hash: string): Promise<void> {
    const before = this.pongs;
    this.send(0x9, Buffer.from(hash));
    await expect.poll(() => this.pongs).toBe(before + 1);
  }

  async drop(): Promise<void> {
    this.#socket.destroy();
    if (!this.closed) await once(this.#socket, 'close');
  }
}

let atWork: StandInAtWork;
let clock: FakeClock;
const start = async (frame: string, configHash?: string) => {
  clock = new FakeClock({ now: Date.UTC(2026, 10, 21) });
  const provision = recordedProvision(frame, configHash === undefined ? {} : { configHash });
  atWork = await StandInAtWork.start({ clock, provisions: [provision] });
};
afterEach(() => atWork.stop());

const state = () => atWork.standIn.sessions().at(-1)?.state;

describe('accepted.log', () => {
  const [recorded] = sessionsOf('accepted') as [RecordedSession];
  const [cold, applied, later] = recorded.pings as [string, string, string];

  test('cold, provisioned, and pinging each 30 s', async () => {
    await start('mixed', applied);
    const replay = await Replay.start(atWork, recorded);
    expect(cold).toBe(ZEROS);
    replay.send(0x2, basicInfo);
    await replay.ping(cold);
    await expect.poll(() => replay.configurations.length).toBe(1);
    expect(replay.configurations[0]?.equals(recordedFrame('mixed'))).toBe(true);
    expect(state()).toBe('greeting');
    await replay.ping(applied);
    await expect.poll(state).toBe('served');
    await clock.advance(30_000);
    await replay.ping(later);
    expect(replay.configurations).toHaveLength(1);
    expect(atWork.lines).toEqual([]);
  });

  test('the 101 has the headers of a real one, and the mark', async () => {
    await start('mixed');
    const replay = await Replay.start(atWork, recorded);
    const refusals = recordedFile('control-plane/refusals.txt').toString();
    const real = JSON.parse(/UPGRADED 101 (\[.*\])/.exec(refusals)?.[1] ?? '[]') as string[];
    const names = real.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase());
    const [status, ...headers] = replay.answer.split('\r\n');
    expect(status).toMatch(/^HTTP\/1\.1 101 /);
    const ours = headers.map((line) => line.split(':')[0]?.toLowerCase());
    expect(ours.sort()).toEqual([...names, 'x-kongfallback-stand-in'].sort());
    expect(replay.answer).toContain('Date: Sat, 21 Nov 2026 00:00:00 GMT');
    expect(replay.answer).toContain('x-kongfallback-stand-in: 1');
  });
});

test('first-connect.log: one that cannot load what it is sent keeps its link, and is found', async () => {
  const [recorded] = sessionsOf('first-connect') as [RecordedSession];
  await start('mixed');
  const replay = await Replay.start(atWork, recorded);
  replay.send(0x2, basicInfo);
  for (const hash of recorded.pings) {
    await replay.ping(hash);
    await expect.poll(() => replay.configurations.length).toBe(1);
    await clock.advance(30_000);
  }
  expect(recorded.pings).toEqual([ZEROS, ZEROS, ZEROS]);
  expect(replay.configurations).toHaveLength(1);
  expect(atWork.found()).toEqual(['data-plane-rejected-configuration 3.9.3']);
  expect(replay.closed).toBe(false);
});

test('outage-drill.log: a warm one gets pongs, a cold one beside it the frame', async () => {
  const [warm, cold] = sessionsOf('outage-drill') as [RecordedSession, RecordedSession];
  await start('mixed', warm.pings[0]);
  const running = await Replay.start(atWork, warm);
  running.send(0x2, basicInfo);
  for (const hash of warm.pings) await running.ping(hash);
  expect(state()).toBe('current');
  const fresh = await Replay.start(atWork, cold);
  fresh.send(0x2, basicInfo);
  await fresh.ping(cold.pings[0] as string);
  await expect.poll(() => fresh.configurations.length).toBe(1);
  await fresh.ping(cold.pings[1] as string);
  await expect.poll(state).toBe('served');
  expect(running.configurations).toEqual([]);
  expect(atWork.lines).toEqual([]);
});

test('two-addresses.log: cut and back again with what it was sent, it is sent nothing', async () => {
  const [first, second] = sessionsOf('two-addresses') as [RecordedSession, RecordedSession];
  await start('mixed', first.pings[1]);
  const before = await Replay.start(atWork, first);
  before.send(0x2, basicInfo);
  await before.ping(first.pings[0] as string);
  await expect.poll(() => before.configurations.length).toBe(1);
  await before.ping(first.pings[1] as string);
  await before.drop();
  await expect.poll(() => atWork.standIn.sessions()).toEqual([]);
  const after = await Replay.start(atWork, second);
  after.send(0x2, basicInfo);
  for (const hash of second.pings) await after.ping(hash);
  expect(state()).toBe('current');
  expect(after.configurations).toEqual([]);
});

describe('incremental-sync-404.log', () => {
  const recorded = sessionsOf('incremental-sync-404');
  const hello = { jsonrpc: '2.0', id: 1, method: 'kong.meta.v1.hello', params: [{ rpc_capabilities: [] }] };

  beforeEach(() => start('mixed'));

  test('it dials /v2/outlet only, and is greeted without a capability', async () => {
    expect(new Set(recorded.map(({ path }) => path))).toEqual(new Set(['/v2/outlet']));
    const replay = await Replay.start(atWork, recorded[0] as RecordedSession);
    expect(replay.answer).toMatch(/\r\nSec-WebSocket-Protocol: kong\.meta\.v1(\r\n|$)/);
    replay.send(0x2, Buffer.from(JSON.stringify(hello)));
    await expect.poll(() => replay.configurations.length).toBe(1);
    const answer = JSON.parse(replay.configurations[0]?.toString() ?? '');
    const real = JSON.parse(recordedFile('rpc/frame-1.json').toString());
    expect(answer).toEqual({ ...real, result: { ...real.result, rpc_capabilities: [] } });
    await clock.advance(40_000);
    await replay.ping('');
    await clock.advance(40_000);
    expect(replay.closed).toBe(false);
    expect(atWork.standIn.state()).toMatchObject({ open: 1, served: 0 });
    atWork.standIn.release(1);
    await expect.poll(() => replay.closed).toBe(true);
    expect(atWork.lines).toEqual([]);
  });

  test.each([
    ['nothing', undefined],
    ['no hello', Buffer.from('{"jsonrpc":"2.0","id":1,"method":"kong.sync.v2.get_delta"}')],
    ['no JSON', Buffer.from([0xff, 0x06, 0x00])],
    ['an id that is none', Buffer.from(JSON.stringify({ ...hello, id: { a: 1 } }))],
  ])('%s in its place is closed', async (_name, payload) => {
    const replay = await Replay.start(atWork, recorded[0] as RecordedSession);
    if (payload !== undefined) replay.send(0x2, payload);
    else await clock.advance(5200);
    await expect.poll(() => replay.closed).toBe(true);
    expect(replay.configurations).toEqual([]);
  });

  test('without the subprotocol there is no such path', async () => {
    const { headers } = recorded[0] as RecordedSession;
    const at = headers.indexOf('Sec-WebSocket-Protocol');
    const plain = { path: '/v2/outlet', headers: headers.toSpliced(at, 2), pings: [] };
    expect((await Replay.start(atWork, plain)).answer).toMatch(/^HTTP\/1\.1 404 /);
  });
});

test.each(['HEAD', 'GET'])('%s /v1/wrpc, as 3.0 asks: 404, and not a line', async (method) => {
  await start('mixed');
  const socket = await secured({ port: atWork.port, certificate: atWork.certificate });
  let answer = '';
  socket.on('data', (data) => {
    answer += data.toString('latin1');
  });
  const closed = once(socket, 'close');
  socket.write(`${method} /v1/wrpc HTTP/1.1\r\nHost: cp:8005\r\n\r\n`);
  await closed;
  expect(answer).toMatch(/^HTTP\/1\.1 404 /);
  expect(atWork.lines).toEqual([]);
});

describe.each(['3.4.2', '3.5.0', '3.6.1', '3.7.1', '3.8.1'])('a data plane of %s', (version) => {
  const name = `older-versions/${version}/frame`;
  const info = recordedFile(`older-versions/${version}/basic-info.json`);
  const { headers } = (sessionsOf('accepted') as [RecordedSession])[0];
  const path = `/v1/outlet?node_id=1&node_hostname=old&node_version=${version}`;

  test('introduces itself as recorded, and gets the frame of its version and no other', async () => {
    await start('mixed');
    const own = recordedProvision(name, { gatewayVersion: version });
    atWork.provide(own);
    const replay = await Replay.start(atWork, { path, headers, pings: [] });
    replay.send(0x2, info);
    await replay.ping(ZEROS);
    await expect.poll(() => replay.configurations.length).toBe(1);
    expect(replay.configurations[0]?.equals(recordedFrame(name))).toBe(true);
    await replay.ping(peekFrame(recordedFrame(name)).configHash ?? '');
    await expect.poll(state).toBe('served');
  });
});
