import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { afterEach, describe, expect, test, vi } from 'vitest';
import WebSocket from 'ws';
import { encodeBasicInfo } from '../../../src/kong/basic-info.ts';
import { openSession } from '../../../src/kong/open-session.ts';
import { systemClock } from '../../../src/resilience/index.ts';
import { FakeClock } from '../../../src/testing/fake-clock.ts';
import { clusterCertificate } from '../../stand-in/certificates.ts';
import { type StandInOptions, startStandInControlPlane } from '../../stand-in/control-plane.ts';
import { recordedFile, recordedFrame } from '../../stand-in/frames.ts';

const cluster = clusterCertificate();
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function standIn(options: Partial<StandInOptions> = {}) {
  const frames = recordedFrame('control-plane/mixed/frame-1');
  const one = await startStandInControlPlane({ certificate: cluster, frames, ...options });
  closing.push(() => one.close());
  return one;
}

async function ourSession(address: string) {
  const one = await openSession({
    controlPlane: { addresses: [address], ...cluster, mtls: 'shared' },
    gatewayVersion: '3.9.3',
    nodeId: randomUUID(),
    nodeHostname: 'vm',
    plugins: ['key-auth'],
    labels: {},
    clock: systemClock,
    signal: new AbortController().signal,
  });
  closing.push(() => one.close());
  return one;
}

describe('our client and the bytes of a real control plane', () => {
  test.each([
    ['empty', ['empty/frame-1']],
    ['mixed', ['mixed/frame-1', 'mixed/frame-2']],
  ])('%s: raw-from-server.bin', async (name, frames) => {
    const rawReplay = recordedFile(`control-plane/${name}/raw-from-server.bin`);
    const controlPlane = await standIn({ behaviour: 'raw', rawReplay });
    const one = await ourSession(controlPlane.address);
    expect(one.peerTime()).toBeGreaterThan(Date.parse('Sat, 21 Nov 2026 11:00:00 GMT'));
    const newest = frames.at(-1) as string;
    for await (const frame of one.frames()) {
      expect(
        Buffer.from(frame.bytes).equals(recordedFrame(`control-plane/${frames[frame.ordinal - 1]}`)),
      ).toBe(true);
      if (frames[frame.ordinal - 1] === newest) break;
    }
    await vi.waitFor(() => expect(one.pongs).toBe(1));
  });
});

describe('our client and a real data plane', () => {
  const accepted = recordedFile('data-plane/accepted.log').toString();
  const recorded = /UPGRADE#1 (\S+) (\[.*\])/.exec(accepted);
  const names = (rawHeaders: readonly string[]) => rawHeaders.filter((_, i) => i % 2 === 0);

  test('ask with the same request and the same headers, no more', async () => {
    const controlPlane = await standIn();
    await ourSession(controlPlane.address);
    const [request] = controlPlane.requests;
    const shape = (url: string) => url.replace(/node_id=[0-9a-f-]{36}/, 'node_id=…');
    expect(shape(request?.url ?? '')).toBe(shape(recorded?.[1] ?? 'nothing recorded'));
    expect(names(request?.rawHeaders ?? []).sort()).toEqual(
      names(JSON.parse(recorded?.[2] ?? '[]') as string[]).sort(),
    );
    expect(request?.serverName).toBe('kong_clustering');
  });

  test('introduce themselves with the same members, and ping the same', async () => {
    const controlPlane = await standIn();
    await ourSession(controlPlane.address);
    await vi.waitFor(() => expect(controlPlane.pings).toEqual([/PING#1 (\S+)/.exec(accepted)?.[1]]));
    const real = JSON.parse(recordedFile('data-plane/basic-info.json').toString()) as object;
    expect(Object.keys(controlPlane.basicInfos[0] ?? {}).sort()).toEqual(Object.keys(real).sort());
  });
});

/** What refusals.txt says that a real one did, asked of the stand-in in the same way. */
describe('our stand-in and a real control plane', () => {
  const real = recordedFile('data-plane/basic-info.json');
  const info = (change: (info: Record<string, unknown> & { plugins: { name: string }[] }) => void) => {
    const copy = JSON.parse(real.toString());
    change(copy);
    return Buffer.from(JSON.stringify(copy));
  };
  interface Way {
    readonly query?: string;
    readonly path?: string;
    readonly pair?: { certificate?: string; key?: string };
    readonly first?: (websocket: WebSocket) => void;
  }
  const own = { certificate: cluster.certificate, key: cluster.key };
  const full = (version = '3.9.3') => `node_id=${randomUUID()}&node_hostname=fake-dp&node_version=${version}`;
  const basic =
    (data: Buffer = real) =>
    (websocket: WebSocket) =>
      websocket.send(data, { binary: true });

  /** The first thing that happens: `HTTP 400`, `reset`, `close 1005`, `frame`, `pong`. */
  async function outcome(way: Way, options: Partial<StandInOptions> = {}): Promise<string> {
    const { port } = await standIn(options);
    const pair = way.pair ?? own;
    const url = `wss://127.0.0.1:${port}${way.path ?? '/v1/outlet'}?${way.query ?? full()}`;
    const websocket = new WebSocket(url, {
      rejectUnauthorized: false,
      perMessageDeflate: false,
      ...(pair.certificate && { cert: pair.certificate }),
      ...(pair.key && { key: pair.key }),
    });
    closing.push(() => websocket.terminate());
    websocket.on('open', () => (way.first ?? basic())(websocket));
    return new Promise((resolve) => {
      websocket
        .on('unexpected-response', (_, response) => {
          resolve(`HTTP ${response.statusCode}`);
          response.destroy();
        })
        .on('error', (error) =>
          resolve((error as { code?: string }).code === 'ECONNRESET' ? 'reset' : String(error)),
        )
        .on('message', (_, isBinary) => resolve(isBinary ? 'frame' : 'text'))
        .on('pong', (data) => resolve(`pong ${data.length}`))
        .on('close', (code) => resolve(`close ${code}`));
    });
  }

  test.each<[string, Way, string]>([
    ['nocert', { pair: {} }, 'reset'],
    ['wrongcert', { pair: clusterCertificate() }, 'reset'],
    ['noid', { query: 'node_hostname=x&node_version=3.9.3' }, 'HTTP 400'],
    ['nover', { query: 'node_id=dbc311ae-9273-4980-94ce-12e0c5a416c9&node_hostname=x' }, 'HTTP 400'],
    ['nohost', { query: 'node_id=dbc311ae-9273-4980-94ce-12e0c5a416c9&node_version=3.9.3' }, 'frame'],
    ['baduuid', { query: 'node_id=notauuid&node_hostname=x&node_version=3.9.3' }, 'frame'],
    ['ver-2.8.5', { query: full('2.8.5') }, 'close 1005'],
    ['ver-3.0.0', { query: full('3.0.0') }, 'frame'],
    ['ver-3.8.0', { query: full('3.8.0') }, 'frame'],
    ['ver-3.9.99', { query: full('3.9.99') }, 'frame'],
    ['ver-3.10.0', { query: full('3.10.0') }, 'close 1005'],
    ['ver-4.0.0', { query: full('4.0.0') }, 'close 1005'],
    ['ver-garbage', { query: full('garbage') }, 'close 1005'],
    ['noplugins', { first: basic(info((i) => Reflect.deleteProperty(i, 'plugins'))) }, 'close 1005'],
    ['wrongtype', { first: basic(info((i) => Object.assign(i, { type: 'hello' }))) }, 'close 1005'],
    ['pluginnover', { first: basic(encodeBasicInfo({ plugins: ['key-auth'] })) }, 'frame'],
    ['textframe', { first: (ws) => ws.send(real.toString()) }, 'close 1006'],
    ['pingfirst', { first: (ws) => ws.ping('0'.repeat(32)) }, 'close 1006'],
    ['path', { path: '/v1/other' }, 'HTTP 404'],
    ['v2', { path: '/v2/outlet' }, 'HTTP 404'],
  ])('%s', async (_, way, expected) => {
    expect(await outcome(way, { configuredPlugins: ['key-auth'] })).toBe(expected);
  });

  test.each([
    ['shortping', 'abc'],
    ['zeroping', ''],
  ])('%s', async (_, ping) => {
    const first = (websocket: WebSocket) => {
      basic()(websocket);
      websocket.ping(ping);
    };
    expect(await outcome({ first }, { behaviour: 'silent' })).toBe('close 1005');
  });

  test('a right ping is answered by an empty pong', async () => {
    const first = (websocket: WebSocket) => {
      basic()(websocket);
      websocket.ping('0'.repeat(32));
    };
    expect(await outcome({ first }, { behaviour: 'silent' })).toBe('pong 0');
  });

  test('nokeyauth: a plugin missing from the list brings pongs and no frame', async () => {
    const first = (websocket: WebSocket) => {
      basic(info((i) => Object.assign(i, { plugins: i.plugins.filter(({ name }) => name !== 'key-auth') })))(
        websocket,
      );
      websocket.ping('0'.repeat(32));
    };
    expect(await outcome({ first }, { configuredPlugins: ['key-auth'] })).toBe('pong 0');
  });

  test.each([
    ['nobasic: nothing for 5 s', () => {}, 5000],
    ['noping: no ping for more than 45 s', basic(), 50_001],
  ])('%s', async (_, first, afterMs) => {
    const clock = new FakeClock({ now: Date.now() });
    const controlPlane = await standIn({ clock });
    const websocket = new WebSocket(`wss://${controlPlane.address}/v1/outlet?${full()}`, {
      rejectUnauthorized: false,
      cert: own.certificate,
      key: own.key,
    });
    await once(websocket, 'open');
    const ended = once(websocket, 'close');
    first(websocket);
    if (afterMs > 5000) await once(controlPlane, 'frame-sent');
    await clock.advance(afterMs);
    expect((await ended)[0]).toBe(1005);
  });
});
