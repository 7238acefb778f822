import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { registerConfig } from '../../../src/commands/config.ts';
import { folderWith } from './folder.ts';

const SETTINGS = `
cluster: production
gatewayVersions: ["3.9.1"]
source: { use: file, path: kong.json }
storages: [{ use: file, path: store }]
encryption: { use: none }
signing: { privateKey: "\${env:HEAD_KEY}" }
`;
const SECRET = 'correct-horse-battery';

async function run(
  argv: readonly string[],
  env: Record<string, string> = { HEAD_KEY: SECRET },
  text = SETTINGS,
) {
  const cwd = folderWith({ 'a.yaml': text });
  let stdout = '';
  let stderr = '';
  let exitCode: number | undefined;
  const program = new Command().exitOverride();
  registerConfig(program, {
    stdout: (line) => {
      stdout += line;
    },
    stderr: (line) => {
      stderr += line;
    },
    env,
    terminal: false,
    cwd,
    exit: (code) => {
      exitCode = code;
    },
  });
  const error = await program
    .parseAsync(['config', '--config', join(cwd, 'a.yaml'), ...argv], { from: 'user' })
    .then(() => undefined)
    .catch((thrown: unknown) => thrown);
  return { stdout, stderr, exitCode, error, cwd };
}

describe('refused', () => {
  test('bad settings: the error goes to the caller, as JSON when asked', async () => {
    const bad = SETTINGS.replace('none', 'nnone');
    expect((await run([], {}, bad)).error).toMatchObject({ code: 'KF_SETTINGS_INVALID' });
    const { stdout, exitCode, error } = await run(['--json'], {}, bad);
    expect(error).toBeUndefined();
    expect(exitCode).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'KF_SETTINGS_INVALID', kind: 'invalid' } });
  });

  test('--set without a value, which may be a secret', async () => {
    const { error } = await run(['--set', SECRET]);
    expect(error).toMatchObject({ code: 'KF_SETTINGS_FLAG', kind: 'invalid' });
    expect(String((error as Error).message)).not.toContain(SECRET);
  });

  test('a role that there is not', async () => {
    expect((await run(['--role', 'master'])).error).toMatchObject({ code: 'commander.invalidArgument' });
  });
});

test('every value with its origin, secrets as ***', async () => {
  const { stdout, stderr, exitCode } = await run(['--set', 'export.delaySeconds=7'], {
    HEAD_KEY: SECRET,
    KONGFALLBACK_LOG__LEVEL: 'debug',
  });
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^cluster +"production" +file a\.yaml:2:1$/m);
  expect(stdout).toMatch(/^export\.delaySeconds +7 +flag --set export\.delaySeconds$/m);
  expect(stdout).toMatch(/^log\.level +"debug" +env KONGFALLBACK_LOG__LEVEL$/m);
  expect(stdout).toMatch(/^signing\.privateKey +"\*\*\*" +file a\.yaml:7:12$/m);
  expect(stdout).toMatch(/^validators\[0\] +"kong-schema" +default$/m);
  expect(stdout + stderr).not.toContain(SECRET);
});

test('as JSON, with the plugins and where they come from, and warnings', async () => {
  const { stdout, stderr, cwd } = await run(['--json', '--all'], { HEAD_KEY: SECRET });
  const printed = JSON.parse(stdout);
  expect(stderr).toBe('');
  expect(printed).toMatchObject({ role: 'all', file: join(cwd, 'a.yaml'), warnings: [] });
  expect(printed.plugins).toContainEqual({ kind: 'storage', id: 'file', use: 'file', from: 'built-in' });
  expect(printed.settings).toContainEqual({
    path: 'signing.privateKey',
    value: '***',
    origin: 'file a.yaml:7:12',
  });
  expect(stdout).not.toContain(SECRET);
});

test('warnings go to standard error with what to do', async () => {
  const { stderr, exitCode } = await run([], {}, SETTINGS.replace(/signing.*\n/, ''));
  expect(exitCode).toBe(0);
  expect(stderr).toMatch(/^warning: .* \[KF_SETTINGS_UNSIGNED\]\n {2}hint: .*keygen/);
});
