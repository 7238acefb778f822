// `kongfallback run` with several roles in one process, and a gateway that is seen from outside while it runs.
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type StandInControlPlane, startStandInControlPlane } from '../stand-in/control-plane.ts';
import { recordedFrame } from '../stand-in/frames.ts';
import { FakeKong, Running } from './bootstrap-fake-kong.ts';
import { documentNumber, exported } from './exported.ts';
import { expectNoSecret } from './refusal.ts';
import type { Site } from './site.ts';

let site: Site;
let controlPlane: StandInControlPlane | undefined;
let running: Running | undefined;

const BOTH = { export: { delaySeconds: 0 }, service: { listen: '127.0.0.1:0' } };

beforeEach(async () => {
  site = await exported({ settings: BOTH, bootstrap: { waitSeconds: 5, watchSeconds: 1 } }, [
    documentNumber(1),
  ]);
});
afterEach(async () => {
  running?.kill('SIGKILL');
  await running?.ended;
  running = undefined;
  await controlPlane?.close();
  controlPlane = undefined;
  site.remove();
});

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  running = new Running(site, args, env);
  return running;
}

/** Of the one service, which is opened once. */
async function address(of: Running): Promise<string> {
  const [, at] = await of.until(/"event":"service\.listening","address":"([^"]+)"/);
  return `http://${at}`;
}

async function controlPlaneIsUp(): Promise<void> {
  controlPlane = await startStandInControlPlane({ certificate: site.certificate });
  controlPlane.setFrame(recordedFrame('mixed'));
  site.pointAt(controlPlane.port);
}

describe('a role that cannot start ends all of them', () => {
  it('for its settings, before any other has begun', async () => {
    site.configure({ gatewayVersions: [] });
    expect(await run(['run']).ended).toEqual({ code: 2, signal: null });
    expect(running?.output).toMatch(/gatewayVersions.*is required for the exporter/s);
    expect(running?.output).not.toMatch(/bootstrap\.origin/);
  });

  it('for the port of the one service, which is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    site.configure({ service: { listen: `127.0.0.1:${port}` } });
    expect(await run(['run']).ended).toEqual({ code: 10, signal: null });
    expect(running?.output).toMatch(/\[KF_SERVICE_LISTEN\]/);
    taken.close();
  });
});

describe('exporter and node', () => {
  it('run until a signal ends both in order, seen as one and as each', async () => {
    await controlPlaneIsUp();
    const both = run(['run']);
    const at = await address(both);
    await both.until(/"role":"exporter",[^\n]*"event":"control-plane\.up"/);
    await both.until(/"role":"node",[^\n]*"event":"bootstrap\.origin","origin":"control-plane"/);
    expect((await fetch(`${at}/health/ready`)).status).toBe(200);
    const status = await (await fetch(`${at}/status`)).json();
    expect(status).toMatchObject({ roles: [{ role: 'exporter' }, { role: 'node' }] });
    const metrics = await (await fetch(`${at}/metrics`)).text();
    expect(metrics).toMatch(/control_plane_state\{[^}]*role="exporter"[^}]*state="up"\} 1/);
    expect(metrics).toMatch(/kongfallback_build_info\{[^}]*role="node"/);
    both.kill('SIGTERM');
    expect(await both.ended).toEqual({ code: 0, signal: null });
    expect(both.output.match(/"service\.listening"/g)).toHaveLength(1);
    expect(both.output).toMatch(/"export\.stopped"/);
    // A warning that both roles have stands once.
    const warnings = both.output.match(/"event":"settings\.warning"[^\n]*"message":"[^"]*"/g) ?? [];
    expect(new Set(warnings).size).toBe(warnings.length);
    expectNoSecret({ stdout: both.output, stderr: '' } as never, site.secrets);
  });

  it('once: each has its pass, and the first failure is the exit code', async () => {
    const result = await site.run(['run', '--once', '--json']);
    expect(result.stdout.trim().split('\n')).toHaveLength(2);
    expect(result.stdout).toContain('KF_CP_REFUSED_CONNECTION');
    expect(result.stdout).toContain('"origin":"storage"');
    expect(result.code).toBe(10);
  });

  it('--role takes some of them; one that the settings do not hold is named', async () => {
    const result = await site.run(['run', '--role', 'bootstrap', '--once', '--json']);
    expect(result.json()).toMatchObject({ origin: 'storage' });
    const none = await site.run(['run', '--role', 'relay']);
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('[KF_RUN_NO_ROLE]')]);
    const wrong = await site.run(['run', '--role', 'master']);
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('[KF_USAGE]')]);
  });
});

describe('a gateway', () => {
  let kong: FakeKong;
  beforeEach(() => {
    kong = new FakeKong(site);
  });

  it('is started by bootstrap with health, metrics and status beside it, which end with it', async () => {
    const gateway = run(['bootstrap', '--', 'kong', 'run'], kong.prefix('a').env);
    await gateway.until(/kong runs as/);
    const at = await address(gateway);
    expect((await fetch(`${at}/health/ready`)).status).toBe(200);
    expect(await (await fetch(`${at}/status`)).json()).toMatchObject({
      role: 'node',
      origin: { origin: 'storage' },
    });
    expect(await (await fetch(`${at}/metrics`)).text()).toContain(
      'kongfallback_origin_state{origin="storage"} 1',
    );
    gateway.kill('SIGTERM');
    expect(await gateway.ended).toEqual({ code: 7, signal: null });
    await expect(fetch(`${at}/status`)).rejects.toThrow();
  });

  it('is started although the port is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    site.configure({ service: { listen: `127.0.0.1:${port}` } });
    const gateway = run(['bootstrap', '--', 'kong', 'run'], kong.prefix('a').env);
    await gateway.until(/kong runs as/);
    await gateway.until(/"service\.not-listening"/);
    gateway.kill('SIGTERM');
    expect(await gateway.ended).toEqual({ code: 7, signal: null });
    taken.close();
  });

  it('runs beside an exporter; its exit code is ours', async () => {
    const gateway = run(['run', '--', 'kong', 'run'], kong.prefix('a').env);
    await gateway.until(/kong runs as/);
    expect(gateway.output).toContain(`kong run with ${site.target}`);
    await gateway.until(/"event":"export\.started"/);
    const at = await address(gateway);
    expect(await (await fetch(`${at}/status`)).json()).toMatchObject({
      roles: [{ role: 'exporter' }, { role: 'node', origin: { origin: 'storage' } }],
    });
    gateway.kill('SIGTERM');
    expect(await gateway.ended).toEqual({ code: 7, signal: null });
    expect(gateway.output).toMatch(/"export\.stopped"/);
  });

  it('starts and runs on without an exporter that cannot be run, which is told', async () => {
    rmSync(join(site.directory, 'head.key'));
    const gateway = run(['run', '--', 'kong', 'run'], kong.prefix('a').env);
    await gateway.until(/kong runs as/);
    await gateway.until(/head\.key/);
    const at = await address(gateway);
    const health = await fetch(`${at}/health`);
    expect([health.status, await health.json()]).toMatchObject([
      503,
      {
        findings: expect.arrayContaining([
          expect.objectContaining({ code: 'role-failed', about: 'exporter' }),
        ]),
      },
    ]);
    gateway.kill('SIGTERM');
    expect(await gateway.ended).toEqual({ code: 7, signal: null });
  });

  it('is started although no settings can be read', async () => {
    site.write('.kongfallbackrc', 'cluster: [\n');
    const result = await site.run(['run', '--', 'kong', 'start'], { env: kong.prefix('a').env });
    expect(result.stdout).toMatch(/kong start with nothing/);
    expect(result.code).toBe(0);
    expect(existsSync(site.target)).toBe(false);
    expect(readFileSync(join(site.directory, '.kongfallbackrc'), 'utf8')).toBe('cluster: [\n');
  });
});
