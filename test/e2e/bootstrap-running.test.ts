// `kongfallback bootstrap`: bootstraps, then watches for the control plane until it is stopped.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type StandInControlPlane, startStandInControlPlane } from '../stand-in/control-plane.ts';
import { recordedFrame } from '../stand-in/frames.ts';
import { FakeKong, Running } from './bootstrap-fake-kong.ts';
import { documentNumber, exported } from './exported.ts';
import { RunningExporter } from './running-exporter.ts';
import type { Site } from './site.ts';

let site: Site;
let controlPlane: StandInControlPlane | undefined;
let running: Running | undefined;

beforeEach(async () => {
  site = await exported({ bootstrap: { watchSeconds: 1, waitSeconds: 5 } }, [documentNumber(1)]);
});
afterEach(async () => {
  running?.kill('SIGKILL');
  await running?.ended;
  running = undefined;
  await controlPlane?.close();
  controlPlane = undefined;
  site.remove();
});

const start = (): Running => new Running(site, ['bootstrap', '--json'], {});

async function stop(): Promise<void> {
  running?.kill('SIGTERM');
  expect(await running?.ended).toEqual({ code: 0, signal: null });
}

/** At an address that nothing listened at before. */
async function controlPlaneComes(): Promise<() => Promise<void>> {
  const first = await startStandInControlPlane({ certificate: site.certificate });
  const { port } = first;
  await first.close();
  site.pointAt(port);
  return async () => {
    controlPlane = await startStandInControlPlane({ certificate: site.certificate, port });
    controlPlane.setFrame(recordedFrame('mixed'));
  };
}

describe('a bootstrap that runs on', () => {
  it('ends with 2 for settings that cannot work', async () => {
    site.write('.kongfallbackrc', 'cluster: [\n');
    running = start();
    expect(await running.ended).toEqual({ code: 2, signal: null });
    expect(running.output).toMatch(/KF_SETTINGS_SYNTAX/);
  });

  it('takes the snapshot of a store that is there later', async () => {
    renameSync(site.store, `${site.store}.away`);
    mkdirSync(site.store);
    running = start();
    await running.until(/bootstrap\.none/);
    rmSync(site.store, { recursive: true });
    renameSync(`${site.store}.away`, site.store);
    await running.until(/"origin":"storage"/);
    expect(readFileSync(site.target).equals(documentNumber(1))).toBe(true);
    await stop();
  });

  it('leaves it to a control plane that is there first', async () => {
    const comes = await controlPlaneComes();
    site.configure({ storages: [{ use: 'file', path: 'nowhere' }] });
    running = start();
    await running.until(/bootstrap\.none/);
    await comes();
    await running.until(/"origin":"control-plane"/);
    expect(existsSync(site.target)).toBe(false);
    await stop();
  });

  it('reads no storage once it has applied, and tells when the control plane is back', async () => {
    const comes = await controlPlaneComes();
    running = start();
    await running.until(/"origin":"storage"/);
    rmSync(site.store, { recursive: true });
    await comes();
    await running.until(/"event":"hand-back"/);
    await stop();
    expect(running.output).not.toMatch(/KF_(?!CP_)/);
  });

  it('leaves a node with a configuration alone', async () => {
    const prefix = new FakeKong(site).warm('a');
    running = new Running(site, ['bootstrap', '--json'], { KONG_PREFIX: prefix.path });
    await running.until(/"configHash":"ce111cfab695166fc51ce9e8cb1905a0".*"origin":"node"/);
    expect(existsSync(site.target)).toBe(false);
    await stop();
  });
});

describe('seen from outside', () => {
  it('is ready with its origin, in health, status and metrics', async () => {
    const node = await RunningExporter.start(site, ['bootstrap']);
    try {
      await node.event('bootstrap.origin', { origin: 'storage' });
      const ready = await node.get('/health/ready');
      expect(ready.status).toBe(200);
      expect(JSON.stringify(await (await node.get('/status')).json())).toContain('"origin":"storage"');
      expect(await node.metric('kongfallback_origin_state', 'origin="storage"')).toBe(1);
    } finally {
      await node.stop();
    }
  });
});

describe('--once', () => {
  it('leaves a node with a configuration alone: nothing is written', async () => {
    const { env } = new FakeKong(site).warm('a');
    const result = await site.run(['bootstrap', '--once', '--json'], { env });
    expect(result.code, result.stderr).toBe(0);
    expect(result.json()).toMatchObject({
      origin: 'node',
      reason: 'configured',
      applied: null,
      requests: null,
    });
    expect([existsSync(site.target), existsSync(join(site.cache, 'e2e'))]).toEqual([false, false]);
    const forced = await site.run(['bootstrap', '--once', '--json', '--force'], { env });
    expect(forced.json()).toMatchObject({ origin: 'storage' });
  });
});
