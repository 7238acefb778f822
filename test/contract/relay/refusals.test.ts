// Each of the 35 ways to connect in refusals.txt, asked of the stand-in: what a real control plane did, or what we do
// otherwise, and why.
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { FakeClock } from '../../../src/testing/fake-clock.ts';
import { clusterCertificate } from '../../stand-in/certificates.ts';
import { recordedProvision, StandInAtWork } from '../../stand-in/data-plane-relay.ts';
import { recordedFile } from '../../stand-in/frames.ts';

const refusals = recordedFile('control-plane/refusals.txt').toString();
const real = recordedFile('data-plane/basic-info.json').toString();
const ZEROS = '0'.repeat(32);

/** What a control plane did: `reset`, `HTTP 400`, `frame`, `closed`, `pong`, or `nothing`. */
function recorded(name: string): string {
  const block = refusals.split(/^=== /m).find((text) => text.startsWith(`${name}:`)) ?? '';
  if (/ERROR ECONNRESET/.test(block)) return 'reset';
  const status = /HTTP-REFUSED (\d+)/.exec(block)?.[1];
  if (status !== undefined) return `HTTP ${status}`;
  if (/ FRAME opcode=2/.test(block)) return 'frame';
  if (/ GOT pong len=0/.test(block)) return 'pong';
  return / done\n/.test(block) ? 'nothing' : 'closed';
}

interface BasicInfo {
  plugins: { name: string; version?: string }[];
  [member: string]: unknown;
}

interface Way {
  readonly query?: string;
  readonly path?: string;
  readonly pair?: { certificate?: string; key?: string };
  readonly options?: WebSocket.ClientOptions & { readonly servername?: string };
  readonly protocols?: string[];
  /** Changes what a real one said. */
  readonly info?: (info: BasicInfo) => unknown;
  readonly first?: (websocket: WebSocket) => void;
  readonly ping?: string;
}

let atWork: StandInAtWork;
let clock: FakeClock;
const open: WebSocket[] = [];

beforeEach(async () => {
  clock = new FakeClock();
  const versions = ['3.0.0', '3.4.2', '3.8.0', '3.9.0', '3.9.3', '3.9.99'];
  atWork = await StandInAtWork.start({
    clock,
    provisions: versions.map((gatewayVersion) => recordedProvision('mixed', { gatewayVersion })),
  });
});
afterEach(async () => {
  for (const websocket of open.splice(0)) websocket.terminate();
  await atWork.stop();
});

const full = (version = '3.9.3') => `node_id=${randomUUID()}&node_hostname=fake-dp&node_version=${version}`;

/** The last telling thing that happens in the first seconds. */
async function outcome(way: Way): Promise<string> {
  const pair = way.pair ?? atWork.certificate;
  const url = `wss://127.0.0.1:${atWork.port}${way.path ?? '/v1/outlet'}?${way.query ?? full()}`;
  const websocket = new WebSocket(url, way.protocols ?? [], {
    rejectUnauthorized: false,
    perMessageDeflate: false,
    ...(pair.certificate && { cert: pair.certificate }),
    ...(pair.key && { key: pair.key }),
    ...way.options,
  });
  open.push(websocket);
  let seen = 'nothing';
  const ended = new Promise<string>((resolve) => {
    websocket
      .on('open', () => introduce(websocket, way))
      .on('pong', () => {
        seen = 'pong';
      })
      .on('unexpected-response', (_, response) => {
        resolve(`HTTP ${response.statusCode}`);
        response.destroy();
      })
      .on('message', (_, isBinary) => resolve(isBinary ? 'frame' : 'text'))
      .on('error', (error) => {
        if ((error as { code?: string }).code === 'ECONNRESET') resolve('reset');
      })
      .on('close', () => resolve('closed'));
  });
  const quiet = (async () => {
    await expect.poll(() => atWork.standIn.sessions().length + Number(websocket.readyState > 1)).toBe(1);
    if (way.ping !== undefined)
      await expect.poll(() => seen !== 'nothing' || websocket.readyState > 1).toBe(true);
    await expect.poll(() => atWork.standIn.sessions()[0]?.state ?? 'gone').not.toBe('handshake');
    await clock.advance(3000);
    await new Promise((resolve) => setImmediate(resolve));
    return 'quiet';
  })();
  quiet.catch(() => {});
  const first = await Promise.race([ended, quiet]);
  return first === 'quiet' ? Promise.race([ended, settled(() => seen)]) : first;
}

/** Bytes that are on their way have arrived after a few turns of both ends. */
async function settled(seen: () => string): Promise<string> {
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  return seen();
}

function introduce(websocket: WebSocket, way: Way): void {
  if (way.first !== undefined) {
    way.first(websocket);
    return;
  }
  const info = JSON.parse(real) as BasicInfo;
  way.info?.(info);
  websocket.send(Buffer.from(JSON.stringify(info)), { binary: true });
  if (way.ping !== undefined) websocket.ping(way.ping);
}

const without = (name: string) => (info: object) => Reflect.deleteProperty(info, name);
const keyAuth = (version: string) => (info: BasicInfo) => {
  for (const plugin of info.plugins) if (plugin.name === 'key-auth') plugin.version = version;
};

const SAME: readonly (readonly [string, Way])[] = [
  ['nocert', { pair: {} }],
  ['wrongcert', { pair: clusterCertificate() }],
  ['noid', { query: 'node_hostname=x&node_version=3.9.3' }],
  ['nover', { query: 'node_id=dbc311ae-9273-4980-94ce-12e0c5a416c9&node_hostname=x' }],
  ['nohost', { query: 'node_id=dbc311ae-9273-4980-94ce-12e0c5a416c9&node_version=3.9.3' }],
  ['baduuid', { query: 'node_id=notauuid&node_hostname=x&node_version=3.9.3', ping: ZEROS }],
  ...['2.8.5', '3.0.0', '3.4.2', '3.8.0', '3.9.0', '3.9.99', '3.10.0', '3.11.0', '4.0.0', 'garbage'].map(
    (version) => [`ver-${version}`, { query: full(version) }] as const,
  ),
  ['noplugins', { info: without('plugins') }],
  ['emptyplugins', { info: (info) => Object.assign(info, { plugins: [] }) }],
  [
    'nokeyauth',
    {
      info: (info) =>
        Object.assign(info, { plugins: info.plugins.filter(({ name }) => name !== 'key-auth') }),
      ping: ZEROS,
    },
  ],
  ['pluginolder', { info: keyAuth('3.0.0') }],
  ['pluginnover', { info: (info) => info.plugins.map(without('version')) }],
  ['wrongtype', { info: (info) => Object.assign(info, { type: 'hello' }) }],
  ['minimal', { info: (info) => ['process_conf', 'filters', 'labels'].map((name) => without(name)(info)) }],
  ['textframe', { first: (websocket) => websocket.send(real) }],
  ['pingfirst', { first: (websocket) => websocket.ping(ZEROS) }],
  ['pmd', { options: { perMessageDeflate: true } }],
  ['subproto', { protocols: ['foo'] }],
  ['sni-other', { options: { servername: 'localhost' } }],
  ['path', { path: '/v1/other' }],
  ['v1analytics', { path: '/v1/analytics' }],
];

describe('as a real control plane', () => {
  test.each(SAME)('%s', async (name, way) => {
    expect(await outcome(way)).toBe(recorded(name));
  });

  test('nobasic', async () => {
    const ended = outcome({ first: () => {} });
    await expect.poll(() => atWork.standIn.sessions().length).toBe(1);
    await clock.advance(5200);
    expect(await ended).toBe(recorded('nobasic'));
  });
});

describe('otherwise than one, on purpose', () => {
  test('pluginnewer: a plugin that is newer there is no reason to leave a data plane without a configuration', async () => {
    expect(recorded('pluginnewer')).toBe('nothing');
    expect(await outcome({ info: keyAuth('3.99.0') })).toBe('frame');
  });

  test.each([
    ['shortping', 'abc', 'pong'],
    ['zeroping', '', 'frame'],
  ])('%s: older data planes may ping so', async (name, ping, expected) => {
    // The frame of a real one comes before it looks at the ping.
    expect(recorded(name)).toBe('frame');
    expect(await outcome({ ping })).toBe(expected);
  });

  test('v2: greeted, so that a data plane of 3.10 or later turns to v1', async () => {
    expect(recorded('v2')).toBe('HTTP 404');
    const hello = {
      jsonrpc: '2.0',
      id: 1,
      method: 'kong.meta.v1.hello',
      params: [{ rpc_capabilities: ['kong.sync.v2'] }],
    };
    const first = (websocket: WebSocket) =>
      websocket.send(Buffer.from(JSON.stringify(hello)), { binary: true });
    expect(await outcome({ path: '/v2/outlet', protocols: ['kong.meta.v1'], first })).toBe('frame');
    expect(open[0]?.protocol).toBe('kong.meta.v1');
  });
});

test('every recorded way was asked', () => {
  const names = [...refusals.matchAll(/^=== ([\w.-]+):/gm)].map(([, name]) => name);
  const asked = [...SAME.map(([name]) => name), 'nobasic', 'pluginnewer', 'shortping', 'zeroping', 'v2'];
  expect(names.sort()).toEqual(asked.sort());
});
