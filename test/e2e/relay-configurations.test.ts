// Which configuration a data plane gets from the stand-in, and which ones get none.
import { randomBytes } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configHashes } from '../../src/kong/index.ts';
import { encodeFrame } from '../stand-in/frames.ts';
import { documentNumber } from './exported.ts';
import { RelayWorld } from './relay-world.ts';

let world: RelayWorld;

const hashOf = (document: Buffer) => configHashes(JSON.parse(document.toString())).config;
const findings = async () =>
  ((await world.relay.status()) as { findings: { code: string; about: string }[] }).findings.map(
    ({ code, about }) => `${code} ${about}`,
  );

describe('while the control plane is down', () => {
  beforeAll(async () => {
    world = await RelayWorld.create({}, [documentNumber(1), documentNumber(2)]);
    const relay = await world.startRelay();
    await relay.verdict('down');
  });
  afterAll(() => world.end());

  it('a data plane ahead of storage keeps what it runs: a pong, and a finding until it leaves', async () => {
    const ahead = randomBytes(16).toString('hex');
    const dataPlane = await world.dial({ hash: ahead });
    await world.relay.ever('finding.raised', { finding: 'dp-ahead-or-unknown', about: '3.9.3' });
    expect([dataPlane.frames, dataPlane.configHash, dataPlane.pongs.length]).toEqual([[], ahead, 1]);
    expect(await findings()).toContain('dp-ahead-or-unknown 3.9.3');
    dataPlane.kill();
    await world.relay.ever('finding.cleared', { finding: 'dp-ahead-or-unknown' });
  });

  it('one with a configuration that the head lists lower gets the newest', async () => {
    const dataPlane = await world.dial({ hash: hashOf(documentNumber(1)) });
    expect(await dataPlane.applied()).toBe(hashOf(documentNumber(2)));
    expect(dataPlane.frames).toHaveLength(1);
  });

  it('one with the newest gets a pong', async () => {
    const dataPlane = await world.dial({ hash: hashOf(documentNumber(2)) });
    await new Promise((resolve) => dataPlane.once('pong', resolve));
    expect([dataPlane.frames, dataPlane.pongs[0]?.length]).toEqual([[], 0]);
  });

  it('one of a version that was never exported is refused clearly', async () => {
    const dataPlane = await world.dial({ gatewayVersion: '3.8.1' });
    await dataPlane.closed;
    expect(dataPlane.frames).toEqual([]);
    const refused = await world.relay.ever('relay.data-plane-refused', { code: 'KF_RELAY_NO_SNAPSHOT' });
    expect(refused).toMatchObject({
      gatewayVersion: '3.8.1',
      message: expect.stringContaining('there is 3.9.3'),
    });
    expect(await findings()).toContain('data-plane-version-unknown 3.8.1');
  });

  it('one that lacks a plugin in use is held without a configuration, as a control plane would', async () => {
    const dataPlane = await world.dial({ plugins: ['cors'] });
    await world.relay.ever('finding.raised', { finding: 'data-plane-plugin-missing', about: '3.9.3' });
    expect(dataPlane.frames).toEqual([]);
    const good = await world.dial();
    await good.applied();
    expect(good.frames).toHaveLength(1);
  });

  // The last one here: it changes what is stored.
  it('a rollback that is written meanwhile reaches who is connected, at the next look at the heads', async () => {
    const dataPlane = await world.dial();
    expect(await dataPlane.applied()).toBe(hashOf(documentNumber(2)));
    const rolledBack = await world.site.run(['rollback', 'previous', '--reason', 'broken route']);
    expect(rolledBack.code, rolledBack.stderr).toBe(0);
    world.relay.signal('SIGHUP');
    expect(await dataPlane.applied(hashOf(documentNumber(1)))).toBe(hashOf(documentNumber(1)));
    const cold = await world.dial();
    expect(await cold.applied()).toBe(hashOf(documentNumber(1)));
  });
});

it('twenty changes after the start of the relay, then the outage: the newest is served', async () => {
  world = await RelayWorld.create({ export: { delaySeconds: 0, evidenceMarginSeconds: 0 } });
  const controlPlane = await world.controlPlane(1);
  const relay = await world.startRelay();
  const exporter = await world.exporter();
  await relay.verdict('up');
  expect(await relay.ever('relay.provision')).toMatchObject({ configHash: hashOf(documentNumber(1)) });
  for (let n = 2; n <= 21; n++) {
    controlPlane.setFrame(encodeFrame(documentNumber(n), { timestamp: Date.now() / 1000 }));
    await exporter.event('export.published', { configHash: hashOf(documentNumber(n)) });
  }
  await controlPlane.close();
  await relay.event('relay.provision', { configHash: hashOf(documentNumber(21)) });
  const cold = await world.dial();
  expect(await cold.applied()).toBe(hashOf(documentNumber(21)));
  expect(cold.origin).toBe('stand-in');
  expect(gunzipSync(cold.frames[0] ?? Buffer.alloc(0)).includes(documentNumber(21))).toBe(true);
  // Nobody told it of the others while the control plane was there.
  expect(relay.events('relay.provision')).toHaveLength(2);
  await world.end();
});
