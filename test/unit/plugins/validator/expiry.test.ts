import { describe, expect, it } from 'vitest';
import expiry from '../../../../plugins/validator/expiry/index.ts';
import { pluginContext } from '../../../../src/testing/plugin-context.ts';
import { clusterCertificate, TestAuthority } from '../../../stand-in/certificates.ts';
import { id, issuesOf, judge } from './judge.ts';

const NOW = Date.UTC(2026, 10, 21);
const DAY_MS = 86_400_000;
const inDays = (days: number): Date => new Date(NOW + days * DAY_MS);
const authority = (days: number): string => new TestAuthority('ca', { notAfter: inDays(days) }).certificate;
const leaf = (days: number): string => clusterCertificate({ notAfter: inDays(days) }).certificate;
const find = (table: object, settings: object = {}) =>
  judge(expiry, table, { settings, context: { now: NOW } });

const until = async (table: object): Promise<number | undefined> => {
  const validator = await expiry.create({ warnDays: 30 }, pluginContext());
  const document = { bytes: new Uint8Array(), table: { ...table } };
  return validator.loadableUntil?.(document, { signal: new AbortController().signal });
};

const [EXPIRED, SOON, LATER] = [authority(-1), authority(10), authority(400)];

describe('a CA certificate', () => {
  it('that has expired refuses the configuration, and nobody can accept it', async () => {
    expect(await find({ ca_certificates: [{ id: id(1), cert: EXPIRED }] })).toEqual([
      {
        code: 'expiry/ca-certificate-expired',
        severity: 'error',
        message: `ca_certificates ${id(1)} expired at 2026-11-20T00:00:00.000Z`,
        hint: expect.stringContaining('rejects the whole configuration'),
        path: ['ca_certificates', id(1), 'cert'],
      },
    ]);
  });

  it('that expires within warnDays warns', async () => {
    const table = { ca_certificates: [{ id: id(1), cert: SOON }] };
    expect(await find(table)).toMatchObject([
      { code: 'expiry/ca-certificate', severity: 'warning', message: expect.stringMatching(/in 10 days$/) },
    ]);
    expect(await find(table, { warnDays: 9 })).toEqual([]);
  });

  it('is loadable in the second in which it expires, and not after it', async () => {
    const table = { ca_certificates: [{ id: id(1), cert: authority(0) }] };
    expect(await find(table)).toMatchObject([{ code: 'expiry/ca-certificate' }]);
    expect(await judge(expiry, table, { context: { now: NOW + 1 } })).toMatchObject([
      { code: 'expiry/ca-certificate-expired' },
    ]);
  });

  it.each([
    ['text', 'no certificate'],
    ['a PEM of something else', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'],
    ['a PEM that is cut short', EXPIRED.slice(0, 300)],
    ['more than any certificate is', `${'\n'.repeat(70_000)}${EXPIRED}`],
  ])('that is %s warns', async (_what, cert) => {
    const table = { ca_certificates: [{ id: id(1), cert }] };
    expect(await find(table)).toMatchObject([{ code: 'expiry/unreadable', severity: 'warning' }]);
    expect(await until(table)).toBeUndefined();
  });

  it.each([[null], [7], [''], ['{vault://env/ca}']])('that is %j is not looked at', async (cert) => {
    expect(await find({ ca_certificates: [{ id: id(1), cert }, null, 'x'] })).toEqual([]);
  });

  it('without an id is shown by its place, never by what stands there', async () => {
    const [finding] = await find({ ca_certificates: [{ id: 'hunter2', cert: EXPIRED }] });
    expect(finding).toMatchObject({
      message: expect.stringMatching(/^entry 1 of ca_certificates/),
      path: ['ca_certificates', '#1', 'cert'],
    });
    expect(JSON.stringify(finding)).not.toContain('hunter2');
  });
});

describe('how long it can be loaded', () => {
  it('is until the first CA certificate expires', async () => {
    const certificates = [LATER, SOON, 'no certificate'].map((cert, at) => ({ id: id(at), cert }));
    expect(await until({ ca_certificates: certificates })).toBe(inDays(10).getTime());
  });

  it('has nothing to do with other certificates', async () => {
    expect(await until({ certificates: [{ id: id(1), cert: leaf(-1) }] })).toBeUndefined();
    expect(await until({})).toBeUndefined();
  });
});

describe('other certificates', () => {
  it('never refuse, expired or not', async () => {
    const table = { certificates: [{ id: id(1), cert: leaf(-3), cert_alt: leaf(1) }] };
    expect(await find(table)).toMatchObject([
      { code: 'expiry/certificate-expired', severity: 'warning', path: ['certificates', id(1), 'cert'] },
      {
        code: 'expiry/certificate',
        severity: 'warning',
        message: expect.stringMatching(/, in 1 day$/),
        path: ['certificates', id(1), 'cert_alt'],
      },
    ]);
  });

  it('are found in settings of plugins, each of a bundle', async () => {
    const config = { upstream: { ca: `# ours\n${leaf(-1)}\n${leaf(5)}`, name: 'x' } };
    expect(await find({ plugins: [{ id: id(1), name: 'kafka-log', config }] })).toMatchObject([
      { code: 'expiry/certificate-expired', path: ['plugins', id(1), 'config', 'ca'] },
      { code: 'expiry/certificate', path: ['plugins', id(1), 'config', 'ca'] },
    ]);
  });

  it('are judged by the first of a chain', async () => {
    expect(await find({ certificates: [{ id: id(1), cert: `${leaf(400)}${leaf(-1)}` }] })).toEqual([]);
  });
});

describe('bounds', () => {
  it('are kept, and the refusal is not among what is left out', async () => {
    const expired = leaf(-1);
    const certificates = Array.from({ length: 200 }, (_, at) => ({ id: id(at), cert: expired }));
    const found = await find({ certificates, ca_certificates: [{ id: id(0), cert: EXPIRED }] });
    expect(found).toHaveLength(51);
    expect(found[0]?.severity).toBe('error');
    expect(found.at(-1)).toMatchObject({
      code: 'expiry/more',
      severity: 'warning',
      message: 'and 151 more findings',
    });
  });

  it('limit how many are read, CA certificates first', async () => {
    const certificates = Array.from({ length: 6000 }, (_, at) => ({
      id: id(at),
      cert: `no certificate ${at}`,
    }));
    const found = await find({ certificates, ca_certificates: [{ id: id(0), cert: EXPIRED }] });
    expect(found[0]).toMatchObject({ code: 'expiry/ca-certificate-expired' });
    const skipped = await find({
      certificates: certificates.map(({ id: one }, at) => ({ id: one, cert: `x${at}` })),
    });
    expect(skipped.at(-1)).toMatchObject({ code: 'expiry/more', message: 'and 4951 more findings' });
  });
});

describe('settings', () => {
  it.each([
    [null],
    [[]],
    ['x'],
    [{ warnDays: -1 }],
    [{ warnDays: '30' }],
    [{ warnDays: 4000 }],
    [{ days: 1 }],
  ])('%j are refused', async (settings) => {
    expect(await issuesOf(expiry, settings)).toHaveLength(1);
  });

  it('default to 30 days', async () => {
    expect(await expiry.settings['~standard'].validate({})).toEqual({ value: { warnDays: 30 } });
  });
});
