// `kongfallback bootstrap -- kong …`: the gateway starts in any case, with the variable only when it should.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type StandInControlPlane, startStandInControlPlane } from '../stand-in/control-plane.ts';
import { recordedFrame } from '../stand-in/frames.ts';
import { FakeKong, Running } from './bootstrap-fake-kong.ts';
import type { CliResult } from './cli.ts';
import { documentNumber, exported } from './exported.ts';
import { expectNoSecret } from './refusal.ts';
import type { Site } from './site.ts';

let site: Site;
let kong: FakeKong;
let controlPlane: StandInControlPlane | undefined;
let running: Running | undefined;

beforeEach(async () => {
  site = await exported({ bootstrap: { waitSeconds: 0, watchSeconds: 1 } }, [documentNumber(1)]);
  kong = new FakeKong(site);
  spawnSync('mkfifo', [join(kong.directory, 'never')]);
});
afterEach(async () => {
  running?.kill('SIGKILL');
  await running?.ended;
  running = undefined;
  await controlPlane?.close();
  controlPlane = undefined;
  site.remove();
});

async function start(
  prefix: ReturnType<FakeKong['prefix']>,
  flags: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<CliResult> {
  const result = await site.run(['bootstrap', ...flags, '--', 'kong', 'start', '-v'], {
    env: { ...prefix.env, ...env },
  });
  expectNoSecret(result, site.secrets);
  return result;
}

async function controlPlaneIsUp(): Promise<void> {
  controlPlane = await startStandInControlPlane({ certificate: site.certificate });
  controlPlane.setFrame(recordedFrame('mixed'));
  site.pointAt(controlPlane.port);
}

const startedWith = ({ stdout }: CliResult): string | undefined =>
  /^kong start -v with (.*)$/m.exec(stdout)?.[1];

describe('what fails is ours, and the gateway starts without the variable', () => {
  it('with broken settings, also while the control plane is up', async () => {
    await controlPlaneIsUp();
    site.write('.kongfallbackrc', 'cluster: [\n');
    const result = await start(kong.prefix('a'));
    expect(startedWith(result)).toBe('nothing');
    expect(result.code).toBe(0);
    expect(result.stderr.match(/KF_SETTINGS_SYNTAX/g)).toHaveLength(1);
    expect(result.stderr).toMatch(/the gateway starts without a fallback configuration/);
  });

  it('without any settings', async () => {
    rmSync(join(site.directory, '.kongfallbackrc'));
    expect(startedWith(await start(kong.prefix('a')))).toBe('nothing');
  });

  it('with stores that are gone and nothing in the cache', async () => {
    site.configure({ storages: [{ use: 'file', path: 'nowhere' }] });
    const result = await start(kong.prefix('a'));
    expect(startedWith(result)).toBe('nothing');
    expect(result.stderr).toMatch(/starts without a fallback configuration.*KF_|KF_.*starts without/s);
  });

  it('with a target that cannot be written', async () => {
    rmSync(join(site.directory, 'node'), { recursive: true });
    const result = await start(kong.prefix('a'));
    expect(startedWith(result)).toBe('nothing');
    expect(result.stderr).toMatch(/KF_TARGET_INVALID/);
  });

  it('with a target that needs the gateway first', async () => {
    site.configure({ bootstrap: { cacheDirectory: 'cache', target: 'kong-admin' } });
    const result = await start(kong.prefix('a'));
    expect(startedWith(result)).toBe('nothing');
    expect(result.stderr).toMatch(/KF_TARGET_NEEDS_GATEWAY/);
  });

  it.each(['--strict', '--require'])('but not with %s', async (flag) => {
    site.write('.kongfallbackrc', 'cluster: [\n');
    const result = await start(kong.prefix('a'), [flag]);
    expect(startedWith(result)).toBeUndefined();
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(/^error: .*\[KF_SETTINGS_SYNTAX\]/m);
  });
});

describe('without a configuration', () => {
  beforeEach(() => site.configure({ storages: [{ use: 'file', path: 'nowhere' }] }));

  it('--require keeps the gateway from starting', async () => {
    const result = await start(kong.prefix('a'), ['--require']);
    expect(startedWith(result)).toBeUndefined();
    expect(result.code).toBeGreaterThanOrEqual(10);
    expect(result.stderr).toMatch(/KF_RESTORE_FAILED/);
  });

  it('--strict does not: nothing of ours has failed', async () => {
    expect(startedWith(await start(kong.prefix('a'), ['--strict']))).toBe('nothing');
  });

  it('--require starts a gateway that has one', async () => {
    expect(startedWith(await start(kong.warm('a'), ['--require']))).toBe('nothing');
  });
});

describe('the variable', () => {
  it('is set while the control plane is down, and the node keeps what it loads', async () => {
    const result = await start(kong.prefix('a'));
    expect(startedWith(result)).toBe(site.target);
    expect(result.code, result.stderr).toBe(0);
    expect(readFileSync(site.target).equals(documentNumber(1))).toBe(true);
    expect(kong.isWarm('a')).toBe(true);

    const again = await start(kong.prefix('a'));
    expect(startedWith(again)).toBe('nothing');
    expect(again.stderr).toMatch(/origin: node/);
    expect(kong.isWarm('a')).toBe(true);
  });

  it('is not set while the control plane is up, though it was in the environment', async () => {
    await controlPlaneIsUp();
    const result = await start(kong.prefix('a'), [], { KONG_DECLARATIVE_CONFIG: site.target });
    expect(startedWith(result)).toBe('nothing');
    expect(existsSync(site.target)).toBe(false);
  });

  it("is the operator's own where that names another file", async () => {
    await controlPlaneIsUp();
    site.write('own.json', '{}');
    const own = join(site.directory, 'own.json');
    expect(startedWith(await start(kong.prefix('a'), [], { KONG_DECLARATIVE_CONFIG: own }))).toBe(own);
  });

  it('is not set for a node with a configuration, unless it is forced', async () => {
    expect(startedWith(await start(kong.warm('a')))).toBe('nothing');
    expect(existsSync(site.target)).toBe(false);
    expect(startedWith(await start(kong.warm('a'), ['--force']))).toBe(site.target);
  });

  it('is not set for a node whose store is not understood, and the reason is told', async () => {
    const prefix = kong.warm('a');
    writeFileSync(join(prefix.path, 'dbless.lmdb/data.mdb'), 'damaged');
    const result = await start(prefix);
    expect(startedWith(result)).toBe('nothing');
    expect(result.stderr).toMatch(/KF_LMDB_UNEXPECTED/);
  });

  it('is not set for a target that writes no file for Kong', async () => {
    const target = { use: 'command', command: ['/bin/sh', '-c', 'cat > loaded.json'] };
    site.configure({ bootstrap: { cacheDirectory: 'cache', waitSeconds: 0, target } });
    expect(startedWith(await start(kong.prefix('a')))).toBe('nothing');
    expect(readFileSync(join(site.directory, 'loaded.json')).equals(documentNumber(1))).toBe(true);
  });

  it('is set by the version that the gateway has, not by what the settings list', async () => {
    site.configure({ gatewayVersions: ['3.9.3', '3.8.1'] });
    expect(startedWith(await start(kong.prefix('a')))).toBe(site.target);
  });
});

describe('the gateway as a child', () => {
  it.each([0, 1, 42])('ends us with its exit code %i', async (code) => {
    const result = await start(kong.prefix('a'), [], { FAKE_EXIT: String(code) });
    expect(result.code, result.stderr).toBe(code);
  });

  it('that is not there is named', async () => {
    const result = await site.run(['bootstrap', '--', 'no-such-gateway'], { env: kong.prefix('a').env });
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(/no-such-gateway.*\[KF_GATEWAY_NOT_STARTED\]/);
  });

  it('gets our signals; its end at one is ours', async () => {
    running = new Running(site, ['bootstrap', '--', 'kong', 'run'], kong.prefix('a').env);
    await running.until(/kong runs as/);
    for (const signal of ['SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGINT'] as const) {
      running.kill(signal);
      await running.until(new RegExp(`kong got ${signal.slice(3)}`));
    }
    running.kill('SIGTERM');
    expect(await running.ended).toEqual({ code: 7, signal: null });
    expect(running.output).toMatch(/kong got TERM/);
  });

  it('that is killed ends us as a shell would say it', async () => {
    running = new Running(site, ['bootstrap', '--', 'kong', 'run'], kong.prefix('a').env);
    const [, pid] = await running.until(/kong runs as (\d+)/);
    process.kill(Number(pid), 'SIGKILL');
    expect(await running.ended).toEqual({ code: 137, signal: null });
  });

  it('is not started once we were told to stop', async () => {
    site.configure({
      storages: [{ use: 'file', path: 'nowhere' }],
      bootstrap: {
        cacheDirectory: 'cache',
        waitSeconds: 600,
        target: { use: 'file', path: 'node/kong.json' },
      },
    });
    running = new Running(site, ['bootstrap', '--', 'kong', 'run'], kong.prefix('a').env);
    await running.until(/bootstrap\.none/);
    running.kill('SIGQUIT');
    expect(await running.ended).toEqual({ code: 130, signal: null });
    expect(running.output).not.toMatch(/kong run with/);
  });

  it('runs on while the control plane comes back, which is told once', async () => {
    controlPlane = await startStandInControlPlane({ certificate: site.certificate });
    const { port } = controlPlane;
    await controlPlane.close();
    site.pointAt(port);
    running = new Running(site, ['bootstrap', '--', 'kong', 'run'], kong.prefix('a').env);
    await running.until(/kong runs as/);
    expect(running.output).toContain(`kong run with ${site.target}`);
    controlPlane = await startStandInControlPlane({ certificate: site.certificate, port });
    controlPlane.setFrame(recordedFrame('mixed'));
    await running.until(/"event":"hand-back"/);
    running.kill('SIGTERM');
    expect(await running.ended).toEqual({ code: 7, signal: null });
    expect(running.output.match(/hand-back/g)).toHaveLength(1);
  });
});

describe('usage', () => {
  it.each([
    [['bootstrap', 'kong', 'start'], /write -- before a command/],
    [['bootstrap', '--once', '--', 'kong'], /--once and a command/],
    [['bootstrap', '--init', 'x', '--', 'kong'], /--init and a command/],
    [['bootstrap', '--once', '--require'], /--require and --strict go with/],
  ])('%j is refused', async (args, message) => {
    const result = await site.run(args, { env: kong.prefix('a').env });
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(message);
    expect(result.stderr).toMatch(/KF_USAGE/);
    expect(result.stdout).toBe('');
  });
});
