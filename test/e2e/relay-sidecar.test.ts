// One relay beside each data plane; further ports; the protocol of later gateways.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { secured } from '../stand-in/data-plane.ts';
import { RelayWorld } from './relay-world.ts';

let world: RelayWorld;
beforeAll(async () => {
  world = await RelayWorld.create();
});
afterEach(() => world.clear());
afterAll(() => world.end());

describe('a sidecar', () => {
  it('asks the control plane for no session of its own, over an outage too', async () => {
    const first = await world.controlPlane(1);
    const relay = await world.startRelay({ form: 'sidecar', handBackWindowSeconds: 1 });
    await relay.verdict('up');
    const dataPlane = world.live();
    await dataPlane.at('control-plane');
    await first.close();
    await relay.verdict('down');
    await dataPlane.at('stand-in');

    const second = await world.controlPlane(1);
    await relay.verdict('up');
    const { dataPlanes, waitSeconds } = await relay.event('relay.hand-back');
    expect([dataPlanes, Number(waitSeconds) <= 1]).toEqual([1, true]);
    await dataPlane.at('control-plane');
    for (const { requests } of [first, second]) {
      expect(requests.map(({ url }) => url.includes(dataPlane.nodeId))).toEqual(requests.map(() => true));
      expect(requests.length).toBeGreaterThan(0);
    }
    expect(await relay.metric('kongfallback_relay_admission_limit')).toBeUndefined();
  });
});

it('relay.listeners: bytes pass to another port, both ways', async () => {
  const telemetry = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
  await once(telemetry, 'listening');
  world.defer(() => telemetry.close());
  const { port } = telemetry.address() as { port: number };
  await world.controlPlane(1);
  const relay = await world.startRelay({ listeners: [{ listen: '127.0.0.1:0', to: `127.0.0.1:${port}` }] });
  const { listen } = await relay.ever('relay.passing-through');
  const socket = connect(Number(String(listen).split(':').at(-1)), '127.0.0.1');
  socket.end('some telemetry');
  let echoed = '';
  for await (const chunk of socket.setEncoding('utf8')) echoed += chunk;
  expect(echoed).toBe('some telemetry');
});

describe('/v2/outlet', () => {
  const hello = Buffer.from(
    JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'kong.meta.v1.hello',
      params: { rpc_capabilities: ['kong.sync.v2'] },
    }),
  );

  it('the stand-in greets and offers nothing, so that configuration goes by /v1', async () => {
    world.site.pointAt(1);
    const relay = await world.startRelay();
    await relay.verdict('down');
    const websocket = await rpc();
    websocket.send(hello);
    const [answer] = (await once(websocket, 'message')) as [Buffer];
    expect(JSON.parse(answer.toString())).toMatchObject({ id: 1, result: { rpc_capabilities: [] } });
    const dataPlane = await world.dial();
    await dataPlane.applied();
    websocket.terminate();
  });

  it('goes through the tunnel untouched: it is the control plane that answers', async () => {
    const controlPlane = await world.controlPlane(1);
    const relay = await world.startRelay();
    await relay.verdict('up');
    // This one knows no such path.
    await expect(rpc()).rejects.toThrow(/404/);
    expect(controlPlane.requests.map(({ url }) => url)).toContain('/v2/outlet');
    expect(relay.events('relay.verdict', { verdict: 'down' })).toEqual([]);
  });

  async function rpc(): Promise<WebSocket> {
    const { port } = world.relay;
    const socket = await secured({ port, certificate: world.site.certificate });
    const websocket = new WebSocket(`ws://127.0.0.1:${port}/v2/outlet`, ['kong.meta.v1'], {
      createConnection: () => socket,
      perMessageDeflate: false,
    });
    await once(websocket, 'open');
    return websocket;
  }
});
