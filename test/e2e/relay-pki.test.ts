// Mutual TLS by a certificate authority: through the tunnel, and towards the stand-in.
import { X509Certificate } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type CertificatePair, TestAuthority } from '../stand-in/certificates.ts';
import { RelayWorld } from './relay-world.ts';

const authority = new TestAuthority();
const controlPlaneLeaf = authority.leaf({ commonName: 'cp', names: ['cp.internal'] });
/** Its data planes dial relay.internal and check that name. */
const relayLeaf = authority.leaf({ commonName: 'relay', names: ['relay.internal', 'cp.internal'] });
const ownLeaf = authority.leaf({ commonName: 'relay-session', names: ['session.internal'] });
const node = (commonName: string): CertificatePair => authority.leaf({ commonName });

let world: RelayWorld;
beforeAll(async () => {
  world = await RelayWorld.create();
  world.site.write('ca.crt', authority.certificate);
  world.site.write('own.crt', ownLeaf.certificate);
  world.site.write('own.key', ownLeaf.key);
  world.site.write('relay.crt', relayLeaf.certificate);
  world.site.write('relay.key', relayLeaf.key);
});
afterEach(() => world.clear());
afterAll(() => world.end());

const pki = (port: number) => ({
  controlPlane: {
    address: `127.0.0.1:${port}`,
    certificate: 'own.crt',
    key: 'own.key',
    mtls: 'pki',
    ca: 'ca.crt',
    serverName: 'cp.internal',
  },
});
const SHOWN = { certificate: 'relay.crt', key: 'relay.key' };
const dialling = (certificate: CertificatePair, serverName: string) => ({
  certificate,
  serverName,
  ca: authority.certificate,
});

describe('the stand-in', () => {
  beforeEach(async () => {
    const relay = await world.startRelay({ ...SHOWN, allowedCommonNames: ['dp-1'] }, pki(1));
    await relay.verdict('down');
  });

  it('shows the certificate with the name that data planes check', async () => {
    const dataPlane = await world.dial(dialling(node('dp-1'), 'relay.internal'));
    await dataPlane.applied();
    expect(dataPlane.frames).toHaveLength(1);
    await expect(world.dial(dialling(node('dp-1'), 'other.internal'))).rejects.toThrow(/not that of other/);
  });

  const strangers: readonly (readonly [string, () => CertificatePair, string])[] = [
    ['a common name that is not allowed', () => node('dp-2'), 'KF_RELAY_PEER_NAME'],
    [
      'the right name from another authority',
      () => new TestAuthority().leaf({ commonName: 'dp-1' }),
      'KF_RELAY_PEER_UNTRUSTED',
    ],
    [
      'a certificate that ran out',
      () => authority.leaf({ commonName: 'dp-1', notAfter: new Date(Date.now() - 60_000) }),
      'KF_RELAY_PEER_EXPIRED',
    ],
  ];
  it.each(strangers)('refuses %s', async (_what, certificate, code) => {
    await expect(world.dial(dialling(certificate(), 'relay.internal'))).rejects.toThrow();
    expect(await world.relay.ever('relay.data-plane-refused', { code })).toBeDefined();
    const good = await world.dial(dialling(node('dp-1'), 'relay.internal'));
    await good.applied();
    expect(good.frames).toHaveLength(1);
  });
});

it('through the tunnel it is the control plane whose name is checked, and who sees the data plane', async () => {
  const controlPlane = await world.controlPlane(1, {
    certificate: controlPlaneLeaf,
    mtls: 'pki',
    ca: authority.certificate,
  });
  const relay = await world.startRelay(SHOWN, pki(controlPlane.port));
  await relay.verdict('up');
  const certificate = node('dp-7');
  const dataPlane = world.live(() => dialling(certificate, 'cp.internal'));
  await dataPlane.at('control-plane');
  const seen = controlPlane.requests.find(({ url }) => url.includes(dataPlane.nodeId));
  expect(seen).toMatchObject({
    fingerprint: new X509Certificate(certificate.certificate).fingerprint256,
    serverName: 'cp.internal',
  });
  // The relay's own session came with its own.
  const own = controlPlane.requests.find(({ url }) => !url.includes('test-dp'));
  expect(own?.fingerprint).toBe(new X509Certificate(ownLeaf.certificate).fingerprint256);
  expect(relay.events('finding.raised')).toEqual([]);

  await controlPlane.close();
  await relay.verdict('down');
  // It dials the same name as before: the relay's certificate carries both.
  await dataPlane.at('stand-in');
  expect(dataPlane.frames).toBe(1);
});
