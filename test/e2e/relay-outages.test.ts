// What counts as an outage, and what does not: a control plane that hangs, and one that refuses only us.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { clusterCertificate } from '../stand-in/certificates.ts';
import type { Behaviour } from '../stand-in/control-plane.ts';
import { RelayWorld } from './relay-world.ts';

const LISTEN =
  "const s = require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(s.address().port))";

let world: RelayWorld;
beforeAll(async () => {
  world = await RelayWorld.create();
});
afterEach(() => world.clear());
afterAll(() => world.end());

/** Where nothing is to trip, however slow the machine. */
const PATIENT = { tripSeconds: 10 };

/** Ours say where they come from; a data plane of these tests has this name. */
const isDataPlane = (url: string) => url.includes('node_hostname=test-dp');

describe('a control plane that hangs', () => {
  const hangs: readonly (readonly [string, Behaviour, RegExp])[] = [
    ['accepts and never says a byte', 'hang-tcp', /^KF_CP_TLS_TIMEOUT$/],
    ['completes TLS and says nothing', 'hang-tls', /^KF_CP_UPGRADE_TIMEOUT$/],
    ['speaks something else', 'not-tls', /^KF_CP_/],
    ['resets each connection', 'reset-tcp', /^KF_CP_/],
  ];
  it.each(hangs)(
    '%s: trips at the start of a relay, and data planes are served',
    async (_what, behaviour, why) => {
      await world.controlPlane(1, { behaviour });
      const relay = await world.startRelay();
      const { reason } = await relay.verdict('down');
      expect(reason).toMatch(why);
      const cold = await world.dial();
      await cold.applied();
      expect(cold.origin).toBe('stand-in');
    },
  );

  it('after it was up: those that it had keep what they run, a new one is served, and back again', async () => {
    const controlPlane = await world.controlPlane(1);
    const relay = await world.startRelay();
    await relay.verdict('up');
    const warm = world.live();
    await warm.at('control-plane');
    // As a restart that does not come up: who is connected is cut, who comes is accepted and left alone.
    controlPlane.behaviour = 'hang-tls';
    for (const client of controlPlane.clients) client.terminate();
    await relay.verdict('down');
    await warm.at('stand-in');
    expect(warm.frames).toBe(1);
    const cold = world.live();
    await cold.at('stand-in');
    expect(cold.hash).toBe(warm.hash);

    controlPlane.behaviour = 'normal';
    await relay.verdict('up');
    await Promise.all([warm.at('control-plane'), cold.at('control-plane')]);
    expect([warm.frames, cold.frames].every((frames) => frames >= 1)).toBe(true);
  });

  it('an address whose network drops everything: a data plane that dials meanwhile is served in its time', async () => {
    const hole = await blackHole();
    world.defer(() => hole.close());
    world.site.pointAt(hole.port);
    const relay = await world.startRelay({ tripSeconds: 1 });
    // It gives up after 5 s of waiting for TLS.
    const first = await world.dial();
    await first.applied();
    expect(first.origin).toBe('stand-in');
    expect((await relay.ever('relay.verdict', { verdict: 'down' })).reason).toBe('KF_CP_CONNECT_TIMEOUT');
  });

  it('of two addresses the first hangs: the second is found, and data planes go there', async () => {
    const hanging = await world.controlPlane(1, { behaviour: 'hang-tcp' });
    world.port = 0;
    const good = await world.controlPlane(1);
    const address = [hanging.address, good.address];
    const relay = await world.startRelay(
      { tripSeconds: 2 },
      { controlPlane: { address, certificate: 'cluster.crt', key: 'cluster.key' } },
    );
    expect(await relay.verdict('up')).toMatchObject({ address: good.address });
    const dataPlane = await world.dial();
    await dataPlane.applied();
    expect(dataPlane.origin).toBe('control-plane');
    expect(relay.events('relay.verdict', { verdict: 'down' })).toEqual([]);
  });
});

describe('a control plane that refuses only us is an alarm and no outage', () => {
  const refusals: readonly (readonly [string, Behaviour])[] = [
    ['answers 400', 'bad-request'],
    ['drops the request', 'reset-tls'],
    ['closes after basic_info', 'refuse'],
  ];
  it.each(refusals)('%s', async (_what, behaviour) => {
    const controlPlane = await world.controlPlane(1, {
      behaviourOf: (url) => (isDataPlane(url) ? undefined : behaviour),
    });
    const relay = await world.startRelay(PATIENT);
    const { severity, about } = await relay.event('finding.raised', { finding: 'relay-probe-refused' });
    expect([severity, about]).toEqual(['warning', controlPlane.address]);
    const dataPlane = await world.dial();
    await dataPlane.applied();
    expect(dataPlane.origin).toBe('control-plane');
    expect(relay.events('relay.verdict', { verdict: 'down' })).toEqual([]);
    expect(controlPlane.requests.some(({ url }) => url.includes(dataPlane.nodeId))).toBe(true);
  });

  it('answers our pings and sends us nothing', async () => {
    const controlPlane = await world.controlPlane(1, {
      behaviourOf: (url) => (isDataPlane(url) ? undefined : 'silent'),
    });
    const relay = await world.startRelay(PATIENT);
    await relay.verdict('up');
    if (controlPlane.basicInfos.length === 0) await once(controlPlane, 'basic-info');
    const dataPlane = await world.dial();
    await dataPlane.applied();
    expect(dataPlane.origin).toBe('control-plane');
    expect(relay.events('relay.verdict', { verdict: 'down' })).toEqual([]);
  });

  it('our certificate is not that of the cluster', async () => {
    const ours = clusterCertificate();
    world.site.write('cluster.crt', ours.certificate);
    world.site.write('cluster.key', ours.key);
    await world.controlPlane(1);
    const relay = await world.startRelay(PATIENT);
    await relay.event('finding.raised', { finding: 'relay-probe-refused' });
    const dataPlane = await world.dial();
    await dataPlane.applied();
    expect(dataPlane.origin).toBe('control-plane');
    expect(relay.events('relay.verdict', { verdict: 'down' })).toEqual([]);
  });

  it('it shows a foreign certificate, which a data plane then judges for itself', async () => {
    const foreign = clusterCertificate();
    await world.controlPlane(1, { presented: foreign });
    const relay = await world.startRelay(PATIENT);
    await relay.event('finding.raised', { finding: 'relay-probe-refused' });
    const dataPlane = await world.dial({ ca: foreign.certificate });
    await dataPlane.applied();
    expect(dataPlane.origin).toBe('control-plane');
    await expect(world.dial()).rejects.toThrow();
    expect(relay.events('relay.verdict', { verdict: 'down' })).toEqual([]);
  });
});

/** A port of a stopped process whose queue of connections is full: the kernel drops every further attempt. */
async function blackHole(): Promise<{ port: number; close(): void }> {
  const child = spawn(process.execPath, ['-e', LISTEN], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(said.toString());
  child.kill('SIGSTOP');
  const fillers: Socket[] = [];
  // A backlog of one holds two.
  for (let n = 0; n < 2; n++) {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    fillers.push(socket);
    await once(socket, 'connect');
  }
  return {
    port,
    close: () => {
      child.kill('SIGKILL');
      for (const socket of fillers) socket.destroy();
    },
  };
}
