import { describe, expect, test } from 'vitest';
import { hasPemElsewhere } from '../../../../plugins/validator/expiry/pem-count.ts';

const PEM = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
const KEY = '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n';
const elsewhere = (table: object) =>
  hasPemElsewhere(new TextEncoder().encode(JSON.stringify(table)), table as Record<string, unknown>);

describe('PEM blocks outside of the collections of certificates', () => {
  test.each([
    ['none at all', { services: [{ name: 'a' }] }],
    [
      'those of certificates, chains and keys',
      { certificates: [{ cert: PEM + PEM, cert_alt: PEM, key: KEY, key_alt: KEY }] },
    ],
    [
      'those of CA certificates',
      { ca_certificates: [{ cert: PEM }, { cert: PEM }], plugins: [{ config: {} }] },
    ],
    ['odd collections', { certificates: 'x', ca_certificates: [null, 1, { cert: 2 }] }],
  ])('%s: no', (_name, table) => expect(elsewhere(table)).toBe(false));

  test.each([
    ['in a plugin', { certificates: [{ cert: PEM }], plugins: [{ config: { ca: PEM } }] }],
    ['in a field that is none of those', { certificates: [{ cert: PEM, other: PEM }] }],
    ['a text that only looks like it, which is looked at', { services: [{ name: 'BEGIN TRANSACTION' }] }],
  ])('%s: yes', (_name, table) => expect(elsewhere(table)).toBe(true));
});
