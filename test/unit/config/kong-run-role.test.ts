import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runRoles } from '../../../src/config/index.ts';
import { folderWith } from './folder.ts';

const EXPORTS = 'KONG_CLUSTER_FALLBACK_CONFIG_EXPORT';
const EXPORTER = 'KONG_CLUSTER_FALLBACK_CONFIG_EXPORTER';
const IMPORTS = 'KONG_CLUSTER_FALLBACK_CONFIG_IMPORT';
const CONFIG = 'KONG_CLUSTER_FALLBACK_CONFIG';

const role = (given: {
  env?: Record<string, string>;
  conf?: string;
  settings?: string;
  flags?: Record<string, string>;
}) => {
  const { env = {}, conf, settings, flags } = given;
  const cwd = folderWith({
    ...(conf !== undefined && { 'kong.conf': conf }),
    ...(settings !== undefined && { '.kongfallbackrc': settings }),
  });
  const kongConf = conf === undefined ? undefined : 'kong.conf';
  return runRoles({ cwd, env, etcDirectory: join(cwd, 'etc'), flags, kongConf });
};

describe('refused', () => {
  test.each([
    ['neither', 'cluster: x', 'KF_RUN_NO_ROLE'],
    ['a bootstrap section without target', 'bootstrap: { waitSeconds: 1 }', 'KF_RUN_NO_ROLE'],
    ['a relay section without listen', 'relay: { drainSeconds: 1 }', 'KF_RUN_NO_ROLE'],
  ])('%s', async (_, settings, code) => {
    await expect(role({ settings })).rejects.toMatchObject({
      kind: 'invalid',
      code,
      hint: expect.stringContaining(`${EXPORTS}=on`),
    });
    await expect(role({ settings, env: { [EXPORTS]: 'off', [IMPORTS]: 'off' } })).rejects.toMatchObject({
      code,
    });
  });

  test('a switch that is neither on nor off, although the other is on', async () => {
    await expect(role({ env: { [EXPORTS]: 'yes', [IMPORTS]: 'on' } })).rejects.toMatchObject({
      code: 'KF_SETTINGS_INVALID',
      message: expect.stringContaining('expected on or off'),
    });
  });

  test('nothing at all', async () => {
    await expect(role({})).rejects.toMatchObject({ code: 'KF_SETTINGS_NOT_FOUND' });
  });
});

test.each([
  [{ [EXPORTS]: 'on' }, 'exporter'],
  [{ [EXPORTER]: 'on' }, 'exporter'],
  [{ [IMPORTS]: 'on' }, 'node'],
  [{ [CONFIG]: 'on' }, 'node'],
  [{ [CONFIG]: 'on', [EXPORTER]: 'on' }, 'exporter'],
  [{ [CONFIG]: 'TRUE', [EXPORTER]: 'off' }, 'node'],
  [{ [IMPORTS]: 'on', [EXPORTS]: 'on' }, 'exporter'],
])('%o is %s', async (env, expected) => {
  expect(await role({ env })).toEqual([expected]);
});

test('KONG_* goes over kong.conf whatever the spelling', async () => {
  const conf = 'cluster_fallback_config_exporter = on\ncluster_fallback_config = on';
  expect(await role({ conf })).toEqual(['exporter']);
  expect(await role({ conf, env: { [EXPORTS]: 'off' } })).toEqual(['node']);
  expect(await role({ conf: 'cluster_fallback_config_import = on', env: { [EXPORTER]: 'on' } })).toEqual([
    'exporter',
  ]);
});

test("without Kong's switches: the sections that are written, in the file, the environment or flags", async () => {
  const both = 'export: { delaySeconds: 1 }\nbootstrap: { target: { use: file } }';
  expect(await role({ settings: 'export: { delaySeconds: 1 }' })).toEqual(['exporter']);
  expect(await role({ settings: 'bootstrap: { target: file }' })).toEqual(['node']);
  expect(await role({ env: { KONGFALLBACK_BOOTSTRAP__TARGET__USE: 'file' } })).toEqual(['node']);
  expect(await role({ settings: 'cluster: x', flags: { 'export.delaySeconds': '1' } })).toEqual(['exporter']);
  expect(await role({ settings: both, env: { [IMPORTS]: 'on' } })).toEqual(['node']);
});

describe('several roles', () => {
  const all =
    'export: { delaySeconds: 1 }\nbootstrap: { target: { use: file } }\nrelay: { listen: "0.0.0.0:8005" }';

  test('every section that is there', async () => {
    expect(await role({ settings: all })).toEqual(['exporter', 'node', 'relay']);
    expect(await role({ settings: all, env: { [EXPORTS]: 'off', [IMPORTS]: 'off' } })).toEqual([
      'exporter',
      'node',
      'relay',
    ]);
    expect(await role({ env: { KONGFALLBACK_RELAY__LISTEN: '0.0.0.0:8005' } })).toEqual(['relay']);
  });

  test.each([
    [{ [EXPORTS]: 'on' }, ['exporter', 'relay']],
    [{ [EXPORTS]: 'on', [IMPORTS]: 'on' }, ['exporter', 'relay']],
    [{ [IMPORTS]: 'on' }, ['node', 'relay']],
  ])('%o with all sections is %j: the switches decide, and the relay comes to it', async (env, expected) => {
    expect(await role({ settings: all, env })).toEqual(expected);
  });
});
