// Certificates are exchanged while sessions stand.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { clusterCertificate } from '../stand-in/certificates.ts';
import { RelayWorld } from './relay-world.ts';

let world: RelayWorld;
beforeAll(async () => {
  world = await RelayWorld.create();
});
afterEach(() => world.clear());
afterAll(() => world.end());

describe('SIGHUP after the cluster certificate was replaced by the new one and the old one', () => {
  it('both are served, and the session that stands goes on', async () => {
    const old = world.site.certificate;
    const fresh = clusterCertificate();
    world.site.pointAt(1);
    const relay = await world.startRelay();
    await relay.verdict('down');
    const standing = await world.dial();
    await standing.applied();
    await expect(world.dial({ certificate: fresh })).rejects.toThrow();

    world.site.write('cluster.crt', fresh.certificate + old.certificate);
    world.site.write('cluster.key', fresh.key);
    relay.signal('SIGHUP');
    await relay.event('settings.reloaded');
    const rotated = await world.dial({ certificate: fresh });
    await rotated.applied();
    // The old one still counts for whoever trusts the new one already.
    const half = await world.dial({ ca: fresh.certificate });
    await half.applied();
    const pongs = standing.pongs.length;
    standing.ping();
    while (standing.pongs.length === pongs) await new Promise((resolve) => standing.once('pong', resolve));
    expect([standing.frames, rotated.frames, half.frames].map(({ length }) => length)).toEqual([1, 1, 1]);
    expect(relay.events('settings.reloaded')).toHaveLength(1);
  });

  it('our own look and session use it: the control plane is not refused when it has the new one', async () => {
    const first = await world.controlPlane(1);
    const relay = await world.startRelay();
    await relay.verdict('up');
    const fresh = clusterCertificate();
    world.site.write('cluster.crt', fresh.certificate + world.site.certificate.certificate);
    world.site.write('cluster.key', fresh.key);
    relay.signal('SIGHUP');
    await relay.event('settings.reloaded');
    await first.close();
    await relay.verdict('down');
    const second = await world.controlPlane(1, { certificate: fresh });
    await relay.verdict('up');
    while (second.basicInfos.length === 0) await new Promise((resolve) => second.once('basic-info', resolve));
    expect(relay.events('finding.raised', { finding: 'relay-probe-refused' })).toEqual([]);
  });

  it('a key that does not belong to it is a finding; the former pair stays in use', async () => {
    world.site.pointAt(1);
    const relay = await world.startRelay();
    await relay.verdict('down');
    world.site.write('cluster.crt', clusterCertificate().certificate);
    relay.signal('SIGHUP');
    expect(await relay.event('finding.raised', { finding: 'settings-not-reloaded' })).toMatchObject({
      severity: 'warning',
      message: expect.stringContaining('stay in use'),
    });
    const dataPlane = await world.dial();
    await dataPlane.applied();
    expect(dataPlane.frames).toHaveLength(1);
    world.site.write('cluster.crt', world.site.certificate.certificate);
    relay.signal('SIGHUP');
    await relay.event('finding.cleared', { finding: 'settings-not-reloaded' });
  });
});
