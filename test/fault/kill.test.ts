import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CliResult } from '../e2e/cli.ts';
import { Site } from '../e2e/site.ts';
import { type StandInControlPlane, startStandInControlPlane } from '../stand-in/control-plane.ts';
import { encodeFrame, recordedDocument } from '../stand-in/frames.ts';

const PRELOAD = fileURLToPath(new URL('crash-points.mjs', import.meta.url));
const OLD = recordedDocument('mixed');
const NEW = Buffer.from(OLD.toString().replace('"name":"default"', '"name":"default","comment":"changed"'));
const LOG = 'points.log';

/** Nothing changes on disk there: reading, and the moment before something that follows another at once. */
const READING = /^(before|after) (open-r|close) /;
const REPEATED = /^before (write|writeFile|writev|sync) /;

/** Kill points hit, by scenario; printed at the end. */
const hits = new Map<string, number>();

afterAll(() => {
  for (const [scenario, count] of hits) console.log(`killed at ${count} points: ${scenario}`);
});

describe('SIGKILL at each file operation', () => {
  let site: Site;
  let controlPlane: StandInControlPlane;

  beforeEach(async () => {
    site = new Site({ settings: { export: { evidenceMarginSeconds: 0 } }, bootstrap: { probeSeconds: 1 } });
    controlPlane = await startStandInControlPlane({ certificate: site.certificate });
    site.pointAt(controlPlane.port);
  });

  afterEach(async () => {
    await controlPlane.close();
    site.remove();
  });

  const offline = ['--set', 'controlPlane.address=127.0.0.1:1'];
  const exportOnce = (document: Buffer): Promise<CliResult> => {
    controlPlane.setFrame(encodeFrame(document, { timestamp: Date.now() / 1000 }));
    return site.run(['export', '--once', '--json']);
  };
  const bootstrapOnce = () => site.run(['bootstrap', '--once', '--json', ...offline]);
  const crashing = (args: string[], env: Record<string, string>) =>
    site.run(args, { nodeFlags: ['--import', PRELOAD], env: { KF_CRASH_ROOT: site.directory, ...env } });

  /** The points that an undisturbed run passes. */
  async function pointsOf(args: string[]): Promise<string[]> {
    const result = await crashing(args, { KF_CRASH_LOG: join(site.directory, LOG) });
    expect(result.code, result.stderr).toBe(0);
    const points = readFileSync(join(site.directory, LOG), 'utf8').trim().split('\n');
    return points.filter((point) => !READING.test(point) && !REPEATED.test(point));
  }

  /** Runs with a kill at this point, and fails when it was not reached. */
  async function killAt(scenario: string, args: string[], point: string): Promise<void> {
    const result = await crashing(args, { KF_CRASH_AT: point });
    expect(result.signal, `${scenario}: "${point}" was never hit\n${result.stderr}`).toBe('SIGKILL');
    hits.set(scenario, (hits.get(scenario) ?? 0) + 1);
  }

  const clean = (...names: string[]) => {
    for (const name of names) rmSync(join(site.directory, name), { recursive: true, force: true });
  };

  it('publish: a reader finds the old configuration or the new one, and a restart brings the new one', async () => {
    const scenario = 'publish a change';
    const args = ['export', '--once'];
    await exportOnce(OLD);
    cpSync(site.store, join(site.directory, 'store-before'), { recursive: true });
    controlPlane.setFrame(encodeFrame(NEW, { timestamp: Date.now() / 1000 }));
    const points = await pointsOf(args);
    expect(points.some((point) => point.includes('head.json'))).toBe(true);
    expect(points.some((point) => point.includes('snapshots/'))).toBe(true);

    for (const point of points) {
      clean('store', 'cache', 'node/kong.json');
      cpSync(join(site.directory, 'store-before'), site.store, { recursive: true });
      controlPlane.setFrame(encodeFrame(NEW, { timestamp: Date.now() / 1000 + 1 }));
      await killAt(scenario, args, point);

      const after = await bootstrapOnce();
      expect(after.code, `${point}: ${after.stderr}`).toBe(0);
      const applied = readFileSync(site.target);
      expect(applied.equals(OLD) || applied.equals(NEW), `${point}: neither old nor new`).toBe(true);

      const restarted = await site.run(['export', '--once']);
      expect(restarted.code, `${point}: ${restarted.stderr}`).toBe(0);
      await bootstrapOnce();
      expect(readFileSync(site.target).equals(NEW), `${point}: not the new one after a restart`).toBe(true);
    }
  });

  it('cache and apply: the target holds the old document or the new one, and a restart brings the new one', async () => {
    const scenario = 'fetch into the cache and apply';
    const args = ['bootstrap', '--once', ...offline];
    await exportOnce(NEW);
    const points = await pointsOf(args);
    expect(points.some((point) => point.includes('node/'))).toBe(true);
    expect(points.some((point) => point.includes('cache/'))).toBe(true);

    for (const former of [undefined, OLD]) {
      for (const point of points) {
        clean('cache', 'node/kong.json');
        if (former !== undefined) site.write('node/kong.json', former);
        await killAt(scenario, args, point);

        const there = existsSync(site.target) ? readFileSync(site.target) : undefined;
        const whole =
          there === undefined ? former === undefined : there.equals(NEW) || there.equals(former ?? NEW);
        expect(whole, `${point}: the target is torn`).toBe(true);

        const restarted = await bootstrapOnce();
        expect(restarted.code, `${point}: ${restarted.stderr}`).toBe(0);
        expect(readFileSync(site.target).equals(NEW), `${point}: not the new one after a restart`).toBe(true);
      }
    }
  });
});
