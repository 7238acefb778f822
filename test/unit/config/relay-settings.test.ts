import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { resolveRelay } from '../../../src/config/relay-settings.ts';
import { settingsSchema } from '../../../src/config/schema.ts';
import { pathText } from '../../../src/config/setting-path.ts';
import { clusterCertificate } from '../../stand-in/certificates.ts';
import { folderWith } from './folder.ts';

const ours = clusterCertificate();
const other = clusterCertificate();

async function resolve(relay: object, { mtls = 'pki', folder = '/nowhere' } = {}) {
  const parsed = settingsSchema.parse({
    cluster: 'test',
    controlPlane: { address: 'cp', certificate: ours.certificate, key: ours.key, mtls },
    storages: ['memory'],
    encryption: 'none',
    relay,
  });
  const { problems, ...rest } = await resolveRelay(parsed, folder);
  return { ...rest, problems: problems.map(({ path, message }) => `${pathText(path)} ${message}`) };
}

describe('the relay', () => {
  test('has a cache beside the settings, and no certificate of its own', async () => {
    const { problems, settings } = await resolve(
      { cacheDirectory: 'cache' },
      { folder: '/etc/kongfallback' },
    );
    expect(problems).toEqual([]);
    expect(settings).toMatchObject({ cacheDirectory: '/etc/kongfallback/cache', form: 'service' });
    expect(settings.certificate).toBeUndefined();
  });

  test('takes a certificate and its key from files, and notices one that everybody may read', async () => {
    const folder = folderWith({ 'relay.crt': ours.certificate, 'relay.key': ours.key });
    chmodSync(join(folder, 'relay.key'), 0o600);
    const relay = { certificate: 'relay.crt', key: 'relay.key' };
    const closed = await resolve(relay, { folder });
    expect(closed).toMatchObject({
      problems: [],
      settings: { certificate: ours.certificate, key: ours.key },
    });
    expect(closed.openKey).toBeUndefined();
    chmodSync(join(folder, 'relay.key'), 0o604);
    expect((await resolve(relay, { folder })).openKey).toBe(join(folder, 'relay.key'));
  });

  test.each([
    [
      { certificate: ours.certificate },
      'relay.key relay.certificate and relay.key go together: set both, or neither',
    ],
    [
      { key: ours.key },
      'relay.certificate relay.certificate and relay.key go together: set both, or neither',
    ],
    [
      { certificate: ours.certificate, key: other.key },
      'relay.key does not belong to relay.certificate; expected its private key',
    ],
    [
      { certificate: ours.certificate, key: 'gone.key' },
      'relay.key the file /nowhere/gone.key does not exist',
    ],
    [
      { stableSeconds: 30, maxStableSeconds: 10 },
      'relay.maxStableSeconds is less than relay.stableSeconds (30)',
    ],
  ])('is refused: %#', async (relay, problem) => {
    const { problems } = await resolve(relay);
    expect(problems).toEqual([problem]);
  });

  test('shows the cluster certificate in shared mode, and no other', async () => {
    const { problems } = await resolve({ certificate: ours.certificate, key: ours.key }, { mtls: 'shared' });
    expect(problems).toEqual([
      expect.stringMatching(/^relay.certificate is used with controlPlane.mtls: pki only/),
    ]);
  });
});
