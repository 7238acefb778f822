// Disks that are full, read-only or not there: of the cache, the target and the store.
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startStandInControlPlane } from '../stand-in/control-plane.ts';
import { documentNumber, exported, frameOf } from './exported.ts';
import { expectRefusal } from './refusal.ts';
import type { Site } from './site.ts';
import { treeOf } from './tree.ts';

const BOOTSTRAP = ['bootstrap', '--once'];
/** Room for the sealed snapshot of 13 kB, not for the document of 35 kB. */
const SEALED_ONLY_KIB = 20;
/** Room for neither, nor for a head. */
const NEITHER_KIB = 2;
const FORMER = '{"_format_version":"3.0"}';

let original: Site;
let site: Site;

beforeAll(async () => {
  original = await exported({}, [documentNumber(1)]);
  writeFileSync(original.target, FORMER);
});
beforeEach(() => {
  site = original.copy();
});
afterEach(() => site.remove());
afterAll(() => original.remove());

const withBootstrap = (more: object) =>
  site.configure({
    bootstrap: {
      cacheDirectory: 'cache',
      probeSeconds: 2,
      target: { use: 'file', path: 'node/kong.json' },
      ...more,
    },
  });

describe('the target', () => {
  it('on a full disk stays as it was', async () => {
    await expectRefusal(
      site,
      BOOTSTRAP,
      { exit: 10, code: 'KF_TARGET_UNAVAILABLE', names: /disk is full.*kong\.json/, hint: /Free space/ },
      { fileSizeLimitKib: SEALED_ONLY_KIB },
    );
    expect(readFileSync(site.target, 'utf8')).toBe(FORMER);
  });

  it('in a folder that does not exist', async () => {
    withBootstrap({ target: { use: 'file', path: 'absent/kong.json' } });
    await expectRefusal(site, BOOTSTRAP, {
      exit: 2,
      code: 'KF_TARGET_INVALID',
      names: /absent\/kong\.json/,
      hint: /must exist/,
    });
  });

  it('that is a folder', async () => {
    rmSync(site.target);
    mkdirSync(site.target);
    await expectRefusal(site, BOOTSTRAP, { exit: 2, code: 'KF_TARGET_INVALID', names: /kong\.json/ });
  });

  const asRoot = process.getuid?.() === 0;
  if (asRoot) console.log('SKIPPED: a folder without write permission, because root may write there');
  it.skipIf(asRoot)('in a folder that may not be written', async () => {
    chmodSync(dirname(site.target), 0o500);
    await expectRefusal(site, BOOTSTRAP, { exit: 11, code: 'KF_TARGET_DENIED', hint: /write access/ });
    chmodSync(dirname(site.target), 0o700);
  });
});

describe('the cache', () => {
  it('below a file: the node starts all the same, and a finding says what is missing', async () => {
    site.write('occupied', '');
    withBootstrap({ cacheDirectory: 'occupied/cache' });
    const result = await site.run([...BOOTSTRAP, '--json'], { env: { TMPDIR: site.directory } });
    expect(result.code, result.stderr).toBe(0);
    expect(result.json()).toMatchObject({
      origin: 'storage',
      findings: [{ code: 'cache/unusable', hint: expect.stringContaining('writable') }],
    });
    expect(readFileSync(site.target).equals(documentNumber(1))).toBe(true);
    const left = Object.keys(treeOf(site.directory)).filter((path) =>
      /kongfallback-[A-Za-z0-9]+$/.test(path),
    );
    expect(left, 'the temporary folder is removed').toEqual([]);
  });

  it('that cannot be written anywhere', async () => {
    site.write('occupied', '');
    withBootstrap({ cacheDirectory: 'occupied/cache' });
    await expectRefusal(
      site,
      BOOTSTRAP,
      { exit: 10, code: 'KF_RESTORE_FAILED', names: /KF_CACHE_UNWRITABLE/, hint: /cacheDirectory/ },
      { env: { TMPDIR: join(site.directory, 'occupied/tmp') } },
    );
  });

  it('on a full disk', async () => {
    await expectRefusal(
      site,
      BOOTSTRAP,
      { exit: 10, code: 'KF_RESTORE_FAILED', names: /KF_CACHE_UNWRITABLE/, hint: /cacheDirectory/ },
      { fileSizeLimitKib: NEITHER_KIB },
    );
    expect(Object.keys(treeOf(site.cache)).filter((path) => /\.(kfs|tmp)$/.test(path))).toEqual([]);
  });
});

describe('the store', () => {
  it('on a full disk keeps what it has', async () => {
    const controlPlane = await startStandInControlPlane({
      certificate: site.certificate,
      frames: frameOf(documentNumber(2), 0),
    });
    site.pointAt(controlPlane.port);
    await expectRefusal(
      site,
      ['export', '--once'],
      { exit: 10, code: 'KF_STORAGE_UNAVAILABLE', names: /storage file/, hint: /disk/ },
      { fileSizeLimitKib: NEITHER_KIB },
    );
    await controlPlane.close();
    site.pointAt(1);
    const result = await site.run([...BOOTSTRAP, '--json']);
    expect(result.json()).toMatchObject({ origin: 'storage', findings: [] });
    expect(readFileSync(site.target).equals(documentNumber(1))).toBe(true);
  });

  it('whose folder is a file', async () => {
    site.write('occupied', 'in the way');
    site.configure({ storages: [{ use: 'file', path: 'occupied' }] });
    const { text } = await expectRefusal(site, BOOTSTRAP, {
      exit: 10,
      code: 'KF_RESTORE_FAILED',
      names: /storage file.*KF_HEAD_MISSING/,
      hint: /path/,
    });
    expect(text.stdout).toContain('origin: none');
    expect(readFileSync(join(site.directory, 'occupied'), 'utf8')).toBe('in the way');
  });
});
