import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { connect, createServer as createTlsServer, type SecureVersion, TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ControlPlaneSettings } from '../../../../src/kong/index.ts';
import type { Identity } from '../../../../src/relay/identity.ts';
import {
  certificateIdentity,
  type RelayCertificate,
} from '../../../../src/relay/stand-in/certificate-identity.ts';
import { type CertificatePair, clusterCertificate, TestAuthority } from '../../../stand-in/certificates.ts';
import { errorOf } from '../../snapshot/sample-head.ts';

const YEAR_MS = 365 * 86_400_000;
const ADDRESSES = ['cp.test:8005'];
const cluster = clusterCertificate();
const authority = new TestAuthority();
const own = authority.leaf({ commonName: 'cp', names: ['cp.test'] });
const shared: ControlPlaneSettings = { addresses: ADDRESSES, ...cluster, mtls: 'shared' };
const pki: ControlPlaneSettings = { addresses: ADDRESSES, ...own, mtls: 'pki', ca: authority.certificate };

let server: Server;
let isPki = false;
beforeEach(async () => {
  server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  server.close();
  isPki = false;
});

const identity = (controlPlane: ControlPlaneSettings, relay: Partial<RelayCertificate> = {}) =>
  certificateIdentity(controlPlane, { allowedCommonNames: [], ...relay });

interface Met {
  /** `code`, or `fine`. */
  readonly verdict: string;
  readonly hint: string | undefined;
  readonly message: string | undefined;
  /** Common name of what the data plane was shown. */
  readonly shown: string | undefined;
  readonly resumed: boolean;
}

/** A data plane with this certificate dials the stand-in. */
async function met(
  identity: Identity,
  client: CertificatePair | undefined,
  {
    now = Date.now(),
    maxVersion = 'TLSv1.3' as SecureVersion,
    session = undefined as Buffer | undefined,
  } = {},
): Promise<Met & { readonly session: Buffer | undefined }> {
  const { port } = server.address() as AddressInfo;
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const dialled = connect({
    host: '127.0.0.1',
    port,
    servername: 'kong_clustering',
    rejectUnauthorized: false,
    maxVersion,
    ...(session !== undefined && { session }),
    ...(client !== undefined && { cert: client.certificate, key: client.key }),
  });
  dialled.on('error', () => {});
  let ticket: Buffer | undefined;
  dialled.on('session', (given) => {
    ticket = given;
  });
  const [[tls]] = await Promise.all([
    accepted.then(([socket]) => secured(socket, identity)),
    once(dialled, 'secureConnect'),
  ]);
  try {
    const shown = dialled.getPeerX509Certificate()?.subject;
    const wrong = identity.check(tls, now);
    tls.write('x');
    await once(dialled, 'data');
    return {
      verdict: wrong === undefined ? 'fine' : `${wrong.kind} ${wrong.code}`,
      hint: wrong?.hint,
      message: wrong?.message,
      shown,
      resumed: dialled.isSessionReused(),
      session: ticket,
    };
  } finally {
    dialled.destroy();
    tls.destroy();
  }
}

/** Only a server of Node's own says whether the chain was verified; only a bare socket shows the context's own ways. */
async function secured(socket: Socket, { secureContext }: Identity): Promise<[TLSSocket]> {
  const asking = { requestCert: true, rejectUnauthorized: false };
  if (isPki) {
    const tls = createTlsServer({ ...asking, SNICallback: (_, done) => done(null, secureContext) });
    tls.emit('connection', socket);
    return (await once(tls, 'secureConnection')) as [TLSSocket];
  }
  const tls = new TLSSocket(socket, { ...asking, isServer: true, secureContext });
  await once(tls, 'secure');
  return [tls];
}

describe('shared: a data plane is refused', () => {
  it('without a certificate', async () => {
    expect(await met(identity(shared), undefined)).toMatchObject({
      verdict: 'denied KF_RELAY_PEER_NO_CERTIFICATE',
      hint: expect.stringContaining('cluster_cert'),
    });
  });

  it.each([
    ['of another cluster with the very same names', clusterCertificate()],
    ['that an authority issued', authority.leaf({ commonName: 'kong_clustering' })],
  ])('with a certificate %s', async (_, client) => {
    const { verdict, message } = await met(identity(shared), client);
    expect(verdict).toBe('denied KF_RELAY_PEER_FOREIGN');
    expect(message).toContain('CN=kong_clustering');
  });
});

describe('shared: a data plane is served', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'with the certificate of `kong hybrid gen_cert`, %s',
    async (version) => {
      expect(await met(identity(shared), cluster, { maxVersion: version })).toMatchObject({
        verdict: 'fine',
        shown: 'CN=kong_clustering',
      });
    },
  );

  it('with either certificate while they are exchanged; the first is shown', async () => {
    const renewed = clusterCertificate({ commonName: 'kong_clustering' });
    const both = { ...shared, certificate: cluster.certificate + renewed.certificate };
    expect(await met(identity(both), renewed)).toMatchObject({ verdict: 'fine' });
    expect(await met(identity(both), cluster)).toMatchObject({ verdict: 'fine' });
    expect(await met(identity(both), clusterCertificate())).toMatchObject({
      verdict: 'denied KF_RELAY_PEER_FOREIGN',
    });
  });

  it('when it resumes a session, and refused all the same with a foreign one', async () => {
    const one = identity(shared);
    const { session } = await met(one, cluster, { maxVersion: 'TLSv1.2' });
    expect(await met(one, cluster, { maxVersion: 'TLSv1.2', session })).toMatchObject({
      verdict: 'fine',
      resumed: true,
    });
    const foreign = clusterCertificate();
    const refused = await met(one, foreign, { maxVersion: 'TLSv1.2' });
    expect(await met(one, foreign, { maxVersion: 'TLSv1.2', session: refused.session })).toMatchObject({
      verdict: 'denied KF_RELAY_PEER_FOREIGN',
      resumed: true,
    });
  });
});

describe('pki: a data plane is refused', () => {
  beforeEach(() => {
    isPki = true;
  });

  const out = (verdict: string) => `denied KF_RELAY_PEER_${verdict}`;

  it('without a certificate', async () => {
    expect(await met(identity(pki), undefined)).toMatchObject({ verdict: out('NO_CERTIFICATE') });
  });

  it.each([
    ['another authority of the same name', new TestAuthority().leaf({ commonName: 'dp' })],
    ['nobody but itself', clusterCertificate()],
  ])('with a certificate of %s', async (_, client) => {
    expect(await met(identity(pki), client)).toMatchObject({
      verdict: out('UNTRUSTED'),
      hint: expect.stringContaining('controlPlane.ca'),
    });
  });

  it.each([
    ['expired', { notAfter: new Date(Date.now() - 1000), notBefore: new Date(Date.now() - YEAR_MS) }],
    ['not yet valid', { notBefore: new Date(Date.now() + YEAR_MS) }],
  ])('with one that is %s', async (_, validity) => {
    const client = authority.leaf({ commonName: 'dp', ...validity });
    expect(await met(identity(pki), client)).toMatchObject({ verdict: out('EXPIRED') });
  });

  it('with one that has expired by our clock', async () => {
    const client = authority.leaf({ commonName: 'dp' });
    expect(await met(identity(pki), client, { now: Date.now() + 9 * YEAR_MS })).toMatchObject({
      verdict: out('EXPIRED'),
    });
  });

  it.each(['other', 'DP', 'dp.example', ''])(
    'with a common name that is not listed: "%s"',
    async (commonName) => {
      const one = identity(pki, { allowedCommonNames: ['dp', 'dp-2'] });
      expect(await met(one, authority.leaf({ commonName }))).toMatchObject({ verdict: out('NAME') });
    },
  );
});

describe('pki: a data plane is served', () => {
  beforeEach(() => {
    isPki = true;
  });

  it('with any name of the authority when none is listed', async () => {
    expect(await met(identity(pki), authority.leaf({ commonName: 'anything' }))).toMatchObject({
      verdict: 'fine',
      shown: 'CN=cp',
    });
  });

  it('with a listed name', async () => {
    const one = identity(pki, { allowedCommonNames: ['dp', 'dp-2'] });
    expect(await met(one, authority.leaf({ commonName: 'dp-2' }))).toMatchObject({ verdict: 'fine' });
  });

  it("by the relay's own certificate", async () => {
    const relay = authority.leaf({ commonName: 'relay', names: ['relay.test'] });
    expect(await met(identity(pki, relay), authority.leaf())).toMatchObject({
      verdict: 'fine',
      shown: 'CN=relay',
    });
  });
});

describe('settings that cannot work are refused, and say nothing of the key', () => {
  it.each([
    ['a foreign key', { ...authority.leaf(), key: authority.leaf().key }],
    ['no key', { ...authority.leaf(), key: 'secret' }],
    ['no certificate', { ...authority.leaf(), certificate: 'none' }],
  ])('%s', async (_, relay) => {
    const error = await errorOf(() => identity(pki, relay));
    expect(error).toMatchObject({ kind: 'invalid', code: 'KF_RELAY_CERTIFICATE_INVALID' });
    expect(error.cause).toBeUndefined();
    expect(`${error.message} ${error.hint}`).not.toContain('secret');
  });

  it("the control plane's", async () => {
    expect(await errorOf(() => identity({ ...shared, key: own.key }))).toMatchObject({
      code: 'KF_CP_CERTIFICATE_INVALID',
    });
  });
});
