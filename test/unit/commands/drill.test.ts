import { readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Site } from '../../e2e/site.ts';
import { type StandInControlPlane, startStandInControlPlane } from '../../stand-in/control-plane.ts';
import { encodeFrame, recordedDocument } from '../../stand-in/frames.ts';
import { run } from './command-run.ts';

let site: Site;
let controlPlane: StandInControlPlane;

beforeAll(async () => {
  site = new Site({
    storages: [
      { use: 'file', path: 'store' },
      { id: 'dr', use: 'file', path: 'store' },
    ],
  });
  controlPlane = await startStandInControlPlane({ certificate: site.certificate });
  controlPlane.setFrame(encodeFrame(recordedDocument('mixed')));
  site.pointAt(controlPlane.port);
  site.configure({ storages: [{ use: 'file', path: 'store' }] });
  const { code, stderr } = await run(['export', '--once'], site.directory);
  if (code !== 0) throw new Error(stderr);
  site.pointAt(controlPlane.port);
});
afterAll(async () => {
  await controlPlane.close();
  site.remove();
});

const leftovers = () => readdirSync(tmpdir()).filter((name) => name.startsWith('kongfallback-drill-'));

describe('a drill from the command line', () => {
  it('reads from each store, measures, and leaves nothing behind', async () => {
    const before = leftovers();
    const { code, json, stderr } = await run(['drill', '--json'], site.directory);
    expect(code, stderr).toBe(0);
    expect(json()).toMatchObject({
      status: 'ok',
      findings: [],
      drills: [
        { store: 'file', verdict: 'passed', requests: 2, documentBytes: recordedDocument('mixed').length },
        { store: 'dr', verdict: 'passed', requests: 2 },
        { store: null, verdict: 'empty' },
      ],
    });
    expect(leftovers().filter((name) => !before.includes(name))).toEqual([]);
  });

  it('is a table for a person', async () => {
    const { stdout } = await run(['drill'], site.directory);
    expect(stdout).toMatch(/^ok\n +gateway +from +verdict/);
    expect(stdout).toMatch(/3\.9\.3 +\(cache\) +empty\n/);
  });

  it('one store that fails is 21, all are 22', async () => {
    const bad = site.copy({
      storages: [
        { use: 'file', path: 'store' },
        { id: 'dr', use: 'file', path: 'gone' },
      ],
    });
    bad.configure({});
    const one = await run(['drill'], bad.directory);
    expect(one.code).toBe(21);
    expect(one.stdout).toContain('[drill-failed]');
    rmSync(bad.store, { recursive: true });
    const all = await run(['drill'], bad.directory);
    expect(all.code).toBe(22);
    expect(all.stdout).toContain('critical: 3.9.3 dr: nothing could be restored from storage dr');
    bad.remove();
  });

  it('a monitor needs the stores and the keys: no target, no control plane', async () => {
    const monitor = site.copy({ storages: [{ use: 'file', path: 'store' }] });
    monitor.configure({ controlPlane: undefined, bootstrap: undefined });
    const { code, stdout, stderr } = await run(['drill'], monitor.directory);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^ok\n/);
    monitor.configure({ controlPlane: undefined, bootstrap: undefined, encryption: undefined });
    const keyless = await run(['drill'], monitor.directory);
    expect(keyless.code).toBe(2);
    expect(keyless.stderr).toContain('encryption');
    expect(keyless.stderr).not.toContain('bootstrap.target');
    monitor.remove();
  });

  it('says in one line what was tried', async () => {
    const empty = site.copy({ storages: [{ use: 'file', path: 'empty' }] });
    empty.configure({});
    const { code, stdout } = await run(['drill'], empty.directory);
    expect(code).toBe(22);
    expect(stdout).toContain('no snapshot could be restored: storage file: ');
    expect(stdout).not.toContain('u000a');
    empty.remove();
  });

  it('a folder for scratch files that is not there is an error', async () => {
    const former = process.env['TMPDIR'];
    process.env['TMPDIR'] = '/nowhere';
    try {
      const { code, stderr } = await run(['drill'], site.directory);
      expect(code).toBe(10);
      expect(stderr).toContain('KF_DRILL_SCRATCH');
    } finally {
      if (former === undefined) delete process.env['TMPDIR'];
      else process.env['TMPDIR'] = former;
    }
  });
});
