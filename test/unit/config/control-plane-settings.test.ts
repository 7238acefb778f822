import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { resolveControlPlane } from '../../../src/config/control-plane-settings.ts';
import { pathText } from '../../../src/config/setting-path.ts';
import { clusterCertificate } from '../../stand-in/certificates.ts';
import { folderWith } from './folder.ts';

const ours = clusterCertificate();
const other = clusterCertificate();
const base = { address: 'cp', certificate: ours.certificate, key: ours.key, mtls: 'shared' as const };
const resolve = async (given: object, folder = '/nowhere') => {
  const { settings, problems } = await resolveControlPlane({ ...base, ...given }, folder);
  return { settings, problems: problems.map(({ path, message }) => `${pathText(path)} ${message}`) };
};
const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('refused, without repeating what may be a key', () => {
  test.each([
    [
      'a path that is not there',
      { key: 'gone.key' },
      'controlPlane.key the file /nowhere/gone.key does not exist',
    ],
    [
      'the key of another certificate',
      { key: other.key },
      'controlPlane.key does not belong to controlPlane.certificate; expected its private key',
    ],
    [
      'key and certificate swapped',
      { certificate: ours.key, key: ours.certificate },
      /certificate expected a certificate, found .*PRIVATE KEY.*key expected a private key, found CERTIFICATE/s,
    ],
    [
      'a broken PEM',
      { certificate: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----' },
      'controlPlane.certificate is not a readable certificate',
    ],
    [
      'an encrypted key',
      { key: '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----' },
      'controlPlane.key is protected by a passphrase; expected a key without one',
    ],
    [
      'a key without its armour',
      { key: ours.key.split('\n').slice(1, -2).join('\n') },
      'controlPlane.key is neither a PEM (-----BEGIN …), nor base64 of one, nor a path',
    ],
    [
      'a key without its armour on one line',
      { key: ours.key.split('\n').slice(1, -2).join('').repeat(2) },
      /controlPlane.key (is neither|the file)/,
    ],
  ])('%s', async (_, given, message) => {
    const { problems, settings } = await resolve(given);
    expect(settings).toBeUndefined();
    if (typeof message === 'string') expect(problems).toEqual([message]);
    else expect(problems.join('\n')).toMatch(message);
    const body = ours.key.split('\n')[1] ?? '';
    expect(problems.join('\n')).not.toContain(body);
  });

  test('a file that is no PEM, an endless one, a hanging one', async () => {
    const folder = folderWith({ 'der.crt': '0\x82\x01' });
    execFileSync('mkfifo', [join(folder, 'fifo')]);
    expect((await resolve({ certificate: 'der.crt' }, folder)).problems).toEqual([
      `controlPlane.certificate the file ${folder}/der.crt is not a PEM: it has no -----BEGIN line`,
    ]);
    expect((await resolve({ certificate: '/dev/zero' }, folder)).problems[0]).toContain(
      'is not a regular file',
    );
    expect((await resolve({ certificate: 'fifo' }, folder)).problems[0]).toContain('is not a regular file');
  });
});

test('a PEM, base64 of one, and a path are the same', async () => {
  const folder = folderWith({ 'a.crt': ours.certificate, 'a.key': ours.key });
  const expected = { addresses: ['cp:8005'], certificate: ours.certificate, key: ours.key, mtls: 'shared' };
  const encoded = { certificate: base64(ours.certificate), key: base64(ours.key) };
  expect((await resolve({})).settings).toEqual(expected);
  expect((await resolve(encoded)).settings).toEqual(expected);
  expect((await resolve({ certificate: 'a.crt', key: join(folder, 'a.key') }, folder)).settings).toEqual(
    expected,
  );
});

test.each([
  ['cp', 'cp:8005'],
  ['cp:1', 'cp:1'],
  ['10.0.0.1', '10.0.0.1:8005'],
  ['[fd00::1]', '[fd00::1]:8005'],
  ['[fd00::1]:9', '[fd00::1]:9'],
])('address %s is %s', async (address, expected) => {
  expect((await resolve({ address: [address] })).settings?.addresses).toEqual([expected]);
});
