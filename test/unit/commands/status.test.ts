import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Site } from '../../e2e/site.ts';
import { ago, run, writeHead } from './command-run.ts';

let site: Site;

beforeEach(() => {
  site = new Site();
});
afterEach(() => site.remove());

const status = (...flags: string[]) => run(['status', ...flags], site.directory);
const codes = (found: Record<string, unknown>) =>
  (found['findings'] as { code: string }[]).map(({ code }) => code);

describe('22, a new data plane would get nothing', () => {
  it('nothing was exported', async () => {
    const { code, stdout } = await status();
    expect(code).toBe(22);
    expect(stdout).toMatch(/^failed: e2e at /);
    expect(stdout).toContain('critical: 3.9.3: no storage holds a head');
  });

  it('the storage cannot be reached', async () => {
    rmSync(site.store, { recursive: true });
    const { code, json } = await status('--json');
    expect(code).toBe(22);
    expect(codes(json())).toEqual(['nothing-to-restore', 'head-unreadable']);
  });

  it('the head is not what it says', async () => {
    writeHead(site);
    writeFileSync(join(site.store, '3.9.3', 'head.json'), 'x');
    const { code, json } = await status('--json');
    expect(code).toBe(22);
    expect(json()).toMatchObject({
      lines: [{ heads: [{ state: 'refused', error: { code: 'KF_HEAD_CORRUPT' }, head: null }] }],
    });
  });
});

describe('21, somebody has to look', () => {
  it.each<[string, Parameters<typeof writeHead>[1], string]>([
    ['no exporter', { aliveAt: ago(31), confirmedAt: ago(31) }, 'exporter-silent'],
    ['a silent control plane', { controlPlane: { state: 'down', since: ago(9) } }, 'control-plane-down'],
    ['nothing confirmed', { confirmedAt: ago(31) }, 'not-confirmed'],
  ])('%s', async (_what, changes, finding) => {
    writeHead(site, changes);
    const { code, json } = await status('--json');
    expect([code, codes(json())]).toEqual([21, [finding]]);
  });

  it('follows the interval that is set', async () => {
    writeHead(site, { confirmedAt: ago(31) });
    site.configure({ export: { confirmSchedule: '0 * * * *' } });
    expect((await status()).code).toBe(0);
  });
});

describe('0', () => {
  it('all is well: one screen', async () => {
    writeHead(site);
    const { code, stdout, stderr } = await status();
    expect(code).toBe(0);
    expect(stderr).toBe('');
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(/^ok: e2e at /);
    expect(lines[2]).toBe('gateway 3.9.3');
    expect(lines[3]).toMatch(/storage +head +sequence +alive +confirmed +control plane +configuration/);
    expect(lines[4]).toMatch(/file +verified +1763000001 +0 s +0 s +up +3 entities: 2 services/);
    expect(lines.length).toBeLessThan(10);
  });

  it('with the settings of the backup node, which has no target, and needs no private key', async () => {
    writeHead(site);
    site.configure({ bootstrap: {}, signing: { publicKeys: [`\${file:head.pub}`] } });
    expect(await status()).toMatchObject({ code: 0, stderr: '' });
  });
});

it('settings that are wrong are an error, not a status', async () => {
  site.configure({ storages: [] });
  const { code, stderr, stdout } = await status('--json');
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain('KF_SETTINGS_INVALID');
});

it('without any gateway version says how to set one', async () => {
  site.configure({ gatewayVersions: [] });
  const { code, stderr } = await status();
  expect(code).toBe(2);
  expect(stderr).toContain('KF_NO_GATEWAY_VERSION');
});

it('control characters of a head move no cursor', async () => {
  writeHead(site, {
    hold: {
      target: 'a'.repeat(64),
      rejected: [],
      by: 'x\u001b[2J',
      reason: 'y\n',
      since: ago(1),
      until: null,
    },
  });
  const { stdout, code } = await status();
  expect(code).toBe(21);
  expect(stdout).toContain('x\\u001b[2J');
  expect(stdout).not.toContain('\u001b');
});
