// The init form and containers that are started again: the gateway starts in any case, the variable is set only when it
// should be. `start-gateway.sh` is the example's.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type StandInControlPlane, startStandInControlPlane } from '../stand-in/control-plane.ts';
import { recordedFrame } from '../stand-in/frames.ts';
import { FakeKong } from './bootstrap-fake-kong.ts';
import type { CliResult } from './cli.ts';
import { documentNumber, exported } from './exported.ts';
import { expectNoSecret } from './refusal.ts';
import type { Site } from './site.ts';

const START = fileURLToPath(new URL('../../examples/init-container/start-gateway.sh', import.meta.url));

let site: Site;
let kong: FakeKong;
let folder: string;
let controlPlane: StandInControlPlane | undefined;

beforeEach(async () => {
  // A path that means much to a shell.
  const name = `it's $HOME "shared"`;
  site = await exported({ bootstrap: { waitSeconds: 0 } }, [documentNumber(1)]);
  kong = new FakeKong(site);
  folder = join(site.directory, name);
});
afterEach(async () => {
  await controlPlane?.close();
  controlPlane = undefined;
  site.remove();
});

async function controlPlaneIsUp(): Promise<void> {
  controlPlane = await startStandInControlPlane({ certificate: site.certificate });
  controlPlane.setFrame(recordedFrame('mixed'));
  site.pointAt(controlPlane.port);
}

async function init(flags: readonly string[] = []): Promise<CliResult> {
  // An init container has no Kong and sees no prefix.
  const result = await site.run(['bootstrap', '--init', folder, ...flags], {
    env: { KONG_PREFIX: join(site.directory, 'not-mounted') },
  });
  expectNoSecret(result, site.secrets);
  return result;
}

/** The gateway's container starts, for the first time or again; what Kong was started with. */
function gateway(prefix: ReturnType<FakeKong['prefix']>, env: Readonly<Record<string, string>> = {}): string {
  const { stdout, status, stderr } = spawnSync('/bin/sh', [START, folder, 'kong', 'start'], {
    env: { ...prefix.env, ...env },
    encoding: 'utf8',
  });
  expect(status, stderr + stdout).toBe(0);
  return /^kong start with (.*)$/m.exec(stdout)?.[1] ?? stdout;
}

const snapshot = () => join(folder, 'kong.json');

describe('a container that is started again', () => {
  it('control plane up at creation, then down: the node starts with what it has', async () => {
    await controlPlaneIsUp();
    const created = await init();
    expect(created.code, created.stderr).toBe(0);
    expect(created.stdout).toMatch(/^origin: control-plane/);
    expect(existsSync(snapshot())).toBe(false);
    expect(gateway(kong.prefix('kept'))).toBe('nothing');
    await controlPlane?.close();
    expect(gateway(kong.prefix('kept'))).toBe('nothing');
    expect(gateway(kong.prefix('lost with the container'))).toBe('nothing');
  });

  it('control plane down at creation: from the snapshot once, then with what it has', async () => {
    const created = await init();
    expect(created.stdout).toMatch(/^origin: storage/);
    expect(readFileSync(snapshot()).equals(documentNumber(1))).toBe(true);
    expect(gateway(kong.prefix('kept'))).toBe(snapshot());
    expect(kong.isWarm('kept')).toBe(true);
    expect(gateway(kong.prefix('kept'))).toBe('nothing');
    expect(kong.isWarm('kept')).toBe(true);
    expect(gateway(kong.prefix('lost with the container'))).toBe(snapshot());
  });

  it('warm prefix: it is left alone, whatever the init container wrote', async () => {
    await init();
    expect(gateway(kong.warm('warm'))).toBe('nothing');
    expect(kong.isWarm('warm')).toBe(true);
  });

  it('broken settings with the control plane up: one loud line, and the gateway starts', async () => {
    await controlPlaneIsUp();
    site.write('.kongfallbackrc', 'cluster: [\n');
    const created = await init();
    expect(created.code).toBe(0);
    expect(created.stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(created.stderr).toMatch(/KF_SETTINGS_SYNTAX/);
    expect(gateway(kong.prefix('a'))).toBe('nothing');
  });

  it('created again with the control plane back: the former snapshot is not used', async () => {
    await init();
    await controlPlaneIsUp();
    await init();
    expect(existsSync(snapshot())).toBe(false);
    expect(gateway(kong.prefix('a'))).toBe('nothing');
  });

  it('created again without anything that answers: the sealed copy', async () => {
    await init();
    site.configure({ storages: [{ use: 'file', path: 'nowhere' }] });
    const again = await init();
    expect(again.stdout).toMatch(/^origin: cache/);
    expect(gateway(kong.prefix('a'))).toBe(snapshot());
  });

  it('another lmdb_environment_path is looked at', async () => {
    await init();
    const prefix = kong.prefix('a');
    const elsewhere = join(site.directory, 'elsewhere');
    mkdirSync(elsewhere);
    expect(gateway(prefix, { KONG_LMDB_ENVIRONMENT_PATH: elsewhere })).toBe(snapshot());
    rmSync(join(prefix.path, 'dbless.lmdb'), { recursive: true });
    writeFileSync(join(elsewhere, 'data.mdb'), 'something');
    expect(gateway(prefix, { KONG_LMDB_ENVIRONMENT_PATH: elsewhere })).toBe('nothing');
  });

  it("the prefix of the settings holds where the gateway's environment has none", async () => {
    const prefix = kong.warm('a');
    await init(['--set', `bootstrap.kongPrefix=${join(site.directory, 'not-mounted')}`]);
    expect(readFileSync(join(folder, 'env.sh'), 'utf8')).toContain(join(site.directory, 'not-mounted'));
    expect(gateway(prefix)).toBe('nothing');
  });
});

describe('env.sh', () => {
  const source = (script: string, env: Readonly<Record<string, string>> = {}) =>
    spawnSync('/bin/sh', ['-euc', script], { env: { ...kong.prefix('a').env, ...env }, encoding: 'utf8' });
  const quoted = () => `'${join(folder, 'env.sh').replaceAll("'", `'\\''`)}'`;

  it('does nothing to a shell but its one variable, also under set -eu', async () => {
    await init();
    const names = (script: string) =>
      source(script)
        .stdout.split('\n')
        .filter((line) => /^\w+=/.test(line) && !/^(_|PPID|OLDPWD)=/.test(line));
    const before = names('set');
    const after = names(`. ${quoted()}; set`);
    expect(after.filter((line) => !before.includes(line)).map((line) => line.split('=')[0])).toEqual([
      'KONG_DECLARATIVE_CONFIG',
    ]);
  });

  it('takes back what the environment says of a snapshot that is not there', async () => {
    await controlPlaneIsUp();
    await init();
    const told = source(`. ${quoted()}; echo "\${KONG_DECLARATIVE_CONFIG-unset}"`, {
      KONG_DECLARATIVE_CONFIG: snapshot(),
    });
    expect(told.stdout).toBe('unset\n');
    const own = source(`. ${quoted()}; echo "$KONG_DECLARATIVE_CONFIG"`, {
      KONG_DECLARATIVE_CONFIG: '/own.json',
    });
    expect(own.stdout).toBe('/own.json\n');
  });

  it('names no snapshot that is empty', async () => {
    await init();
    writeFileSync(snapshot(), '');
    expect(gateway(kong.prefix('a'))).toBe('nothing');
  });

  it('can be read by a gateway of another user, and the snapshot has the mode that is set', async () => {
    await init(['--set', 'bootstrap.target.mode=0644']);
    expect(statSync(join(folder, 'env.sh')).mode & 0o777).toBe(0o644);
    expect(statSync(snapshot()).mode & 0o777).toBe(0o644);
  });

  it('is not missed: without it the gateway starts', () => {
    expect(existsSync(folder)).toBe(false);
    expect(gateway(kong.prefix('a'))).toBe('nothing');
  });
});

describe('the exit code', () => {
  it('is 0 without a configuration, unless one is required', async () => {
    site.configure({ storages: [{ use: 'file', path: 'nowhere' }] });
    const without = await init();
    expect(without.code).toBe(0);
    expect(without.stderr).toMatch(/KF_RESTORE_FAILED/);
    expect((await init(['--strict'])).code).toBe(0);
    expect((await init(['--require'])).code).toBeGreaterThanOrEqual(10);
    expect(gateway(kong.prefix('a'))).toBe('nothing');
  });

  it.each(['--strict', '--require'])('is that of the failure with %s', async (flag) => {
    site.write('.kongfallbackrc', 'cluster: [\n');
    expect((await init([flag])).code).toBe(2);
    expect(existsSync(join(folder, 'env.sh'))).toBe(true);
  });

  it('is 0 for a folder that cannot be made, unless strict', async () => {
    const inTheWay = join(site.directory, 'file');
    writeFileSync(inTheWay, '');
    chmodSync(inTheWay, 0o600);
    const result = await site.run(['bootstrap', '--init', join(inTheWay, 'x')]);
    expect(result.code).toBe(0);
    expect(result.stderr).toMatch(/KF_INIT_UNWRITABLE/);
    expect((await site.run(['bootstrap', '--init', join(inTheWay, 'x'), '--strict'])).code).toBe(2);
  });
});
