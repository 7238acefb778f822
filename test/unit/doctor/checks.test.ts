// The checks whose subject cannot be broken for a test, at their limits.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { certificate } from '../../../src/doctor/checks/certificate.ts';
import { clockOffset } from '../../../src/doctor/checks/clock-offset.ts';
import { diskSpace } from '../../../src/doctor/checks/disk-space.ts';
import { fileLimit } from '../../../src/doctor/checks/file-limit.ts';
import { incrementalSync } from '../../../src/doctor/checks/incremental-sync.ts';
import { nodeVersion } from '../../../src/doctor/checks/node-version.ts';
import { storeInspection } from '../../../src/doctor/checks/store-inspection.ts';
import { writableFolder } from '../../../src/doctor/checks/writable-folder.ts';
import type { Observation } from '../../../src/doctor/observation.ts';
import { FallbackError } from '../../../src/errors/index.ts';
import { clusterCertificate } from '../../stand-in/certificates.ts';

const signal = new AbortController().signal;
const shown = (seen: readonly Observation[]) => seen.map(({ code, severity }) => `${severity} ${code}`);
const DAY_MS = 86_400_000;

describe('Node', () => {
  it.each(['18.20.4', '20.18.3', '0.0.0'])('%s is too old', (version) => {
    expect(shown(nodeVersion(version))).toEqual(['error node-too-old']);
  });

  it.each(['20.19.0', '22.0.0', '24.1.0'])('%s will do', (version) => {
    expect(shown(nodeVersion(version))).toEqual(['ok node-version']);
  });
});

describe('open files', () => {
  const limits = (soft: string) =>
    `Limit                     Soft Limit           Hard Limit           Units\nMax open files            ${soft}                 1048576              files\n`;

  it.each([
    ['299', 'error file-limit-low'],
    ['300', 'ok file-limit'],
    ['unlimited', 'ok file-limit'],
  ])('%s for 100 data planes', (soft, expected) => {
    expect(shown(fileLimit(limits(soft), 100))).toEqual([expected]);
  });

  it('nobody tells', () => expect(shown(fileLimit(undefined, 100))).toEqual(['ok file-limit']));
});

describe('clocks', () => {
  it.each([
    [2000, 'ok clock-right'],
    [-2001, 'warning clock-off'],
    [60_000, 'warning clock-off'],
    [-60_001, 'error clock-wrong'],
  ])('%d ms', (offsetMs, expected) => expect(shown(clockOffset('storage s3', offsetMs))).toEqual([expected]));

  it('says which way', () => {
    expect(clockOffset('x', 5000)[0]?.message).toContain('5 s behind');
    expect(clockOffset('x', -5000)[0]?.message).toContain('5 s ahead of');
  });
});

describe('certificates', () => {
  const now = Date.now();
  const of = (days: number) => clusterCertificate({ notAfter: new Date(now + days * DAY_MS) }).certificate;

  it.each([
    [31, 'ok certificate-valid'],
    [29, 'warning certificate-expires'],
    [-1, 'error certificate-expired'],
  ])('%d days left', (days, expected) => {
    expect(shown(certificate({ setting: 'x', pem: of(days) }, now))).toEqual([expected]);
  });

  it('a name is asked for only where one is expected', () => {
    const { certificate: pem } = clusterCertificate({ commonName: 'other' });
    expect(shown(certificate({ setting: 'x', pem }, now))).toEqual(['ok certificate-valid']);
    expect(shown(certificate({ setting: 'x', pem, commonName: 'kong_clustering' }, now))).toContain(
      'warning certificate-name',
    );
  });
});

describe('space', () => {
  const MIB = 2 ** 20;
  const check = (documentBytes: number | undefined, free: number | Error) =>
    diskSpace({ setting: 'x', path: tmpdir(), documentBytes }, async () => {
      if (free instanceof Error) throw free;
      return free;
    });

  it.each([
    [100 * MIB, 300 * MIB, 'ok disk-space'],
    [100 * MIB, 300 * MIB - 1, 'warning disk-space-low'],
    [100 * MIB, 100 * MIB - 1, 'error disk-space-low'],
    [undefined, 63 * MIB, 'warning disk-space-low'],
    [undefined, 0, 'error disk-space-low'],
  ])('a document of %s bytes and %d free', async (bytes, free, expected) => {
    expect(shown(await check(bytes, free))).toEqual([expected]);
  });

  it('a file system that does not tell is no fault', async () => {
    expect(shown(await check(1, new Error('ENOSYS')))).toEqual(['ok disk-space']);
  });
});

describe('incremental sync', () => {
  const check = (settings: Record<string, string>) =>
    shown(incrementalSync((name) => settings[name], 'error'));

  it.each([
    [{ cluster_rpc: 'on', cluster_incremental_sync: 'on' }, 'error incremental-sync-on'],
    [{ cluster_rpc: 'on', cluster_rpc_sync: 'true' }, 'error incremental-sync-on'],
    [{ incremental_sync: 'on' }, 'error incremental-sync-on'],
    [{ cluster_rpc: 'off', cluster_rpc_sync: 'on' }, 'ok incremental-sync-off'],
    [{ cluster_rpc: 'on' }, 'ok incremental-sync-off'],
    [{}, 'ok incremental-sync-off'],
  ])('%j', (settings, expected) => expect(check(settings)).toEqual([expected]));
});

describe('a folder', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'kongfallback-doctor-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('that is missing is well only where it is made, and is not made by looking', async () => {
    const path = join(directory, 'a', 'b');
    const folder = { setting: 'x', path, severity: 'error' } as const;
    expect(shown(await writableFolder({ ...folder, made: true }))).toEqual(['ok folder-writable']);
    expect(shown(await writableFolder({ ...folder, made: false }))).toEqual(['error folder-unwritable']);
    expect(readdirSync(directory)).toEqual([]);
  });
});

describe('a storage that is looked at', () => {
  const options = { prefix: '', as: 'reader', signal } as const;

  it('without a look of its own', async () => {
    expect(shown(await storeInspection('s', {}, options))).toEqual(['ok storage-not-inspected']);
  });

  it('what it cannot see is told beside what it found', async () => {
    const inspect = async () => ({
      findings: [{ code: 'x/y', severity: 'warning' as const, message: 'm' }],
      unseen: ['lifecycle rules'],
    });
    const seen = await storeInspection('s', { inspect }, options);
    expect(shown(seen)).toEqual(['warning x/y', 'ok storage-not-inspected']);
    expect(seen[0]).toMatchObject({ hint: expect.stringContaining('x/y') });
  });

  it.each([
    ['denied', 'ok storage-not-inspected'],
    ['unavailable', 'ok storage-not-inspected'],
    ['invalid', 'error KF_X'],
  ] as const)('an error of kind %s', async (kind, expected) => {
    const inspect = async () => {
      throw new FallbackError(kind, 'KF_X', 'no');
    };
    expect(shown(await storeInspection('s', { inspect }, options))).toEqual([expected]);
  });
});
