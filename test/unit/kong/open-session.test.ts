import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import type { ControlPlaneSettings } from '../../../src/kong/control-plane-settings.ts';
import { openSession } from '../../../src/kong/open-session.ts';
import { systemClock } from '../../../src/resilience/index.ts';
import { clusterCertificate, TestAuthority } from '../../stand-in/certificates.ts';
import {
  cluster,
  failureOf,
  mixed,
  session,
  sessionOptions,
  standIn,
  stoppedClock,
} from './session-fixture.ts';

const day = (offset: number) => new Date(Date.now() + offset * 86_400_000);
const shared = (address: string, pair = cluster): ControlPlaneSettings => ({
  addresses: [address],
  ...pair,
  mtls: 'shared',
});

describe('nobody there', () => {
  test('a name without an address', async () => {
    const options = sessionOptions('no-such-host.invalid:8005');
    expect(await failureOf(openSession(options))).toBe('unavailable KF_CP_NAME_UNKNOWN');
  });

  test('nothing listens', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    server.close();
    await once(server, 'close');
    const options = sessionOptions(`127.0.0.1:${port}`);
    expect(await failureOf(openSession(options))).toBe('unavailable KF_CP_REFUSED_CONNECTION');
  });

  test('packets are dropped', async () => {
    const controlPlane = await standIn();
    // Time is over before the network has had a turn: to us a black hole looks just so.
    const clock = { ...systemClock, sleep: async () => {} };
    const failure = failureOf(openSession(sessionOptions(controlPlane.address, { clock })));
    expect(await failure).toBe('unavailable KF_CP_CONNECT_TIMEOUT');
    await vi.waitFor(() => expect(controlPlane.open).toBe(0));
  });

  test.each([
    ['hang-tcp', 'KF_CP_TLS_TIMEOUT', 'connection'],
    ['hang-tls', 'KF_CP_UPGRADE_TIMEOUT', 'request'],
  ] as const)('%s', async (behaviour, code, event) => {
    const clock = stoppedClock();
    const controlPlane = await standIn({ behaviour });
    const seen = once(controlPlane, event);
    const failure = failureOf(openSession(sessionOptions(controlPlane.address, { clock })));
    await seen;
    await clock.advance(5000);
    expect(await failure).toBe(`unavailable ${code}`);
    await vi.waitFor(() => expect(controlPlane.open).toBe(0));
    expect(clock.sleeping).toBe(0);
  });

  test('the caller gives up while it waits', async () => {
    const giveUp = new AbortController();
    const controlPlane = await standIn({ behaviour: 'hang-tls' });
    const seen = once(controlPlane, 'request');
    const failure = failureOf(openSession(sessionOptions(controlPlane.address, { signal: giveUp.signal })));
    await seen;
    giveUp.abort();
    expect(await failure).toBe('aborted KF_ABORTED');
    await vi.waitFor(() => expect(controlPlane.open).toBe(0));
    expect(
      await failureOf(openSession(sessionOptions(controlPlane.address, { signal: giveUp.signal }))),
    ).toBe('aborted KF_ABORTED');
  });
});

describe('somebody else there', () => {
  test.each([
    ['reset-tcp', 'unavailable KF_CP_CONNECTION_LOST'],
    ['not-tls', 'unavailable KF_CP_TLS_FAILED'],
    ['reset-tls', 'denied KF_CP_CERTIFICATE_REFUSED'],
    ['not-websocket', 'unsupported KF_CP_NOT_WEBSOCKET'],
    ['stand-in', 'unavailable KF_CP_STAND_IN'],
  ] as const)('%s', async (behaviour, expected) => {
    const controlPlane = await standIn({ behaviour });
    expect(await failureOf(openSession(sessionOptions(controlPlane.address)))).toBe(expected);
    await vi.waitFor(() => expect(controlPlane.open).toBe(0));
  });

  test.each([
    [400, 'denied KF_CP_BAD_REQUEST'],
    [403, 'denied KF_CP_BAD_REQUEST'],
    [404, 'unsupported KF_CP_NOT_HYBRID'],
    [301, 'unavailable KF_CP_HTTP_STATUS'],
    [502, 'unavailable KF_CP_HTTP_STATUS'],
    [503, 'unavailable KF_CP_HTTP_STATUS'],
  ])('HTTP %d', async (status, expected) => {
    const controlPlane = await standIn({ status });
    expect(await failureOf(openSession(sessionOptions(controlPlane.address)))).toBe(expected);
  });

  test('another cluster: not a byte is sent to it', async () => {
    const controlPlane = await standIn({ presented: clusterCertificate() });
    expect(await failureOf(openSession(sessionOptions(controlPlane.address)))).toBe(
      'denied KF_CP_FOREIGN_CERTIFICATE',
    );
    await vi.waitFor(() => expect(controlPlane.open).toBe(0));
    expect(controlPlane.requests).toEqual([]);
  });

  test('a control plane that does not know our certificate', async () => {
    const foreign = clusterCertificate();
    const controlPlane = await standIn({ presented: foreign });
    const options = { controlPlane: shared(controlPlane.address, foreign) };
    expect(await failureOf(openSession(sessionOptions(controlPlane.address, options)))).toBe(
      'denied KF_CP_CERTIFICATE_REFUSED',
    );
  });

  test.each([
    ['expired', { notBefore: day(-20), notAfter: day(-1) }],
    ['not valid yet', { notBefore: day(1), notAfter: day(20) }],
  ])('a cluster certificate that is %s', async (_, dates) => {
    const certificate = clusterCertificate(dates);
    const controlPlane = await standIn({ certificate });
    const options = { controlPlane: shared(controlPlane.address, certificate) };
    expect(await failureOf(openSession(sessionOptions(controlPlane.address, options)))).toBe(
      'denied KF_CP_EXPIRED_CERTIFICATE',
    );
  });
});

describe('settings that cannot work', () => {
  const address = '127.0.0.1:8005';
  const other = clusterCertificate();
  test.each<[string, Partial<ControlPlaneSettings>]>([
    ['no certificate', { certificate: 'nonsense' }],
    ['a broken certificate', { certificate: cluster.certificate.replace(/\n.{10}/, '\nAAAAAAAAAA') }],
    ['no key', { key: 'nonsense' }],
    ['the key of another certificate', { key: other.key }],
    ['pki without an authority', { mtls: 'pki' }],
    ['pki with a broken authority', { mtls: 'pki', ca: 'nonsense' }],
  ])('%s', async (_, wrong) => {
    const controlPlane = { ...shared(address), ...wrong };
    const work = openSession(sessionOptions(address, { controlPlane }));
    expect(await failureOf(work)).toBe('invalid KF_CP_CERTIFICATE_INVALID');
    expect(String(await work.catch((error: Error) => error.message))).not.toContain('nonsense');
  });

  test.each(['cp.internal', 'cp:0', 'cp:65536', ':8005', '::1:8005', 'https://cp:8005', 'cp:8005/x', ''])(
    'address %s',
    async (wrong) => {
      const options = sessionOptions(wrong);
      expect(await failureOf(openSession(options))).toBe('invalid KF_CP_ADDRESS_INVALID');
    },
  );

  test('no address at all', async () => {
    const options = sessionOptions(address, { controlPlane: { ...shared(address), addresses: [] } });
    expect(await failureOf(openSession(options))).toBe('invalid KF_CP_ADDRESS_INVALID');
  });
});

describe('mtls pki', () => {
  const authority = new TestAuthority();
  const own = authority.leaf({ commonName: 'exporter' });
  const pki = (address: string, changed: Partial<ControlPlaneSettings> = {}): ControlPlaneSettings => ({
    addresses: [address],
    ...own,
    mtls: 'pki',
    ca: authority.certificate,
    ...changed,
  });
  const serve = (leaf: Parameters<TestAuthority['leaf']>[0], by = authority) =>
    standIn({ certificate: by.leaf(leaf), mtls: 'pki', ca: authority.certificate });
  const attempt = async (address: string, changed: Partial<ControlPlaneSettings> = {}): Promise<string> =>
    failureOf(openSession(sessionOptions(address, { controlPlane: pki(address, changed) })));

  test('another authority', async () => {
    const { address } = await serve({ names: ['127.0.0.1'] }, new TestAuthority());
    expect(await attempt(address)).toBe('denied KF_CP_UNTRUSTED_CERTIFICATE');
  });

  test('expired', async () => {
    const { address } = await serve({ names: ['127.0.0.1'], notBefore: day(-9), notAfter: day(-1) });
    expect(await attempt(address)).toBe('denied KF_CP_EXPIRED_CERTIFICATE');
  });

  test('a wrong name', async () => {
    const { address } = await serve({ names: ['cp.other'], commonName: 'cp.internal' });
    expect(await attempt(address, { serverName: 'cp.internal' })).toBe('denied KF_CP_WRONG_NAME');
    expect(await attempt(address)).toBe('denied KF_CP_WRONG_NAME');
  });

  test('our own certificate is from elsewhere', async () => {
    const { address } = await serve({ names: ['127.0.0.1'] });
    const foreign = new TestAuthority().leaf();
    expect(await attempt(address, foreign)).toBe('denied KF_CP_BAD_REQUEST');
  });

  test.each([
    ['an alternative name', { names: ['x', 'cp.internal'] }, 'cp.internal'],
    ['a wildcard', { names: ['*.cp.internal'] }, 'a.cp.internal'],
    ['a common name only', { commonName: 'cp.internal' }, 'cp.internal'],
    ['the IP address dialled', { names: ['127.0.0.1'] }, undefined],
    ['the IP address as common name', { commonName: '127.0.0.1' }, undefined],
  ])('works with %s', async (_, leaf, serverName) => {
    const controlPlane = await serve(leaf);
    const settings = pki(controlPlane.address, serverName === undefined ? {} : { serverName });
    const one = await session(controlPlane.address, { controlPlane: settings });
    expect((await one.frames().next()).value?.bytes.length).toBe(mixed.length);
    expect(controlPlane.requests[0]?.serverName || undefined).toBe(serverName);
  });
});

describe('works', () => {
  test('with a certificate as `kong hybrid gen_cert` makes it, under the name of shared mode', async () => {
    const controlPlane = await standIn();
    await session(controlPlane.address);
    expect(controlPlane.requests[0]?.serverName).toBe('kong_clustering');
  });

  test('over IPv6', async () => {
    const controlPlane = await standIn({ host: '::1' });
    const one = await session(`[::1]:${controlPlane.port}`);
    expect((await one.frames().next()).value?.ordinal).toBe(1);
    expect(controlPlane.requests[0]?.rawHeaders).toContain(`[::1]:${controlPlane.port}`);
  });

  test('while certificates are exchanged: either of two is accepted', async () => {
    const next = clusterCertificate();
    const controlPlane = await standIn({ presented: next });
    const settings = { ...shared(controlPlane.address), certificate: cluster.certificate + next.certificate };
    const one = await session(controlPlane.address, { controlPlane: settings });
    expect((await one.frames().next()).value?.ordinal).toBe(1);
  });

  test('with the second address when the first is away', async () => {
    const away = await standIn({ behaviour: 'reset-tcp' });
    const controlPlane = await standIn();
    const settings = { ...shared(away.address), addresses: [away.address, controlPlane.address] };
    const one = await session(away.address, { controlPlane: settings });
    expect(one.address.text).toBe(controlPlane.address);
  });
});

test('of several addresses that fail, the error says most that names a mistake', async () => {
  const away = await standIn({ behaviour: 'reset-tcp' });
  const foreign = await standIn({ presented: clusterCertificate() });
  const controlPlane = { ...shared(away.address), addresses: [away.address, foreign.address] };
  const work = openSession(sessionOptions(away.address, { controlPlane }));
  expect(await failureOf(work)).toBe('denied KF_CP_FOREIGN_CERTIFICATE');
  const message = await work.catch((error: Error) => error.message);
  expect(message).toContain(away.address);
  expect(message).toContain(foreign.address);
});
