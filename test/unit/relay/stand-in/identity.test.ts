import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { certificateIdentity } from '../../../../src/relay/stand-in/certificate-identity.ts';
import { clusterCertificate, TestAuthority } from '../../../stand-in/certificates.ts';
import { secured } from '../../../stand-in/data-plane.ts';
import { StandInAtWork, sharedIdentity } from '../../../stand-in/data-plane-relay.ts';

let atWork: StandInAtWork;
afterEach(() => atWork.stop());

test('pki: whoever the CA issued is served, under the name that it checks; nobody else is', async () => {
  const authority = new TestAuthority();
  const server = authority.leaf({ names: ['cp.internal'] });
  const dataPlane = authority.leaf({ commonName: 'dp-1' });
  const expired = authority.leaf({ commonName: 'dp-2', notAfter: new Date(Date.now() - 60_000) });
  const foreign = new TestAuthority().leaf({ commonName: 'dp-1' });
  atWork = await StandInAtWork.start();
  atWork.identity = certificateIdentity(
    {
      mtls: 'pki',
      certificate: server.certificate,
      key: server.key,
      ca: authority.certificate,
      addresses: [],
    } as never,
    { allowedCommonNames: [] },
  );
  const options = { ca: authority.certificate, serverName: 'cp.internal', port: atWork.port };
  const served = await atWork.connect({ ...options, certificate: dataPlane });
  await served.applied();
  expect(served.frames).toHaveLength(1);
  for (const certificate of [foreign, expired]) {
    await once(await secured({ ...options, certificate }), 'close');
  }
  expect(atWork.events('relay.data-plane-refused').map(({ code }) => code)).toEqual([
    'KF_RELAY_PEER_UNTRUSTED',
    'KF_RELAY_PEER_EXPIRED',
  ]);
});

test('a new certificate counts from the next connection on, and the sessions that stand go on', async () => {
  const renewed = clusterCertificate();
  atWork = await StandInAtWork.start();
  const before = await atWork.connect();
  await before.applied();
  atWork.identity = sharedIdentity(renewed);
  const after = await atWork.connect({ certificate: renewed });
  expect(await after.applied()).toBe(before.configHash);
  before.ping();
  await expect.poll(() => before.pongs.length).toBeGreaterThanOrEqual(3);
  await expect(atWork.connect()).rejects.toThrow();
});

test('TLS 1.1 is too old, 1.2 is not', async () => {
  atWork = await StandInAtWork.start();
  const { certificate, port } = atWork;
  const old = { certificate, port, minVersion: 'TLSv1', maxVersion: 'TLSv1.1' } as const;
  await expect(secured(old)).rejects.toThrow();
  const socket = await secured({ certificate, port, maxVersion: 'TLSv1.2' });
  expect(socket.getProtocol()).toBe('TLSv1.2');
  socket.destroy();
});
