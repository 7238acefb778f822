// What an operator can get wrong in the settings, the keys and the command line.
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runCli } from './cli.ts';
import { expectNoSecret, expectRefusal, type Refusal } from './refusal.ts';
import { Site } from './site.ts';

const SETTINGS = '.kongfallbackrc';
const COMMANDS = ['export', 'bootstrap'] as const;

interface Case extends Refusal {
  readonly name: string;
  readonly spoil: (site: Site) => void;
  /** Default: both. */
  readonly commands?: readonly (typeof COMMANDS)[number][];
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const invalid = { exit: 2, code: 'KF_SETTINGS_INVALID' };

const CASES: readonly Case[] = [
  {
    name: 'no settings anywhere',
    spoil: (site) => rmSync(join(site.directory, SETTINGS)),
    ...{ exit: 2, code: 'KF_SETTINGS_NOT_FOUND', hint: /Looked for .*--config/ },
  },
  {
    name: 'a named settings file that does not exist',
    spoil: () => {},
    args: ['--config', 'nowhere.yaml'],
    ...{ exit: 2, code: 'KF_SETTINGS_UNREADABLE', names: 'nowhere.yaml' },
  },
  {
    name: 'settings that are a folder',
    spoil: (site) => {
      rmSync(join(site.directory, SETTINGS));
      mkdirSync(join(site.directory, SETTINGS));
    },
    ...{ exit: 2, code: 'KF_SETTINGS_UNREADABLE', names: SETTINGS },
  },
  {
    name: 'settings that are no text',
    spoil: (site) => site.write(SETTINGS, Uint8Array.of(0xff, 0xfe, 0x00, 0x80, 0x81)),
    ...{ exit: 2, code: 'KF_SETTINGS_SYNTAX', names: SETTINGS },
  },
  {
    name: 'a YAML syntax error',
    spoil: (site) => site.write(SETTINGS, 'cluster: production\nstorages: [ { use: file\nlog: {}\n'),
    ...{ exit: 2, code: 'KF_SETTINGS_SYNTAX', names: /\.kongfallbackrc:\d+:\d+/ },
  },
  {
    name: 'an alias bomb',
    spoil: (site) => {
      const levels = Array.from({ length: 9 }, (_, n) => `l${n + 1}: &l${n + 1} [${`*l${n},`.repeat(9)}]`);
      site.write(SETTINGS, ['l0: &l0 [a,a,a,a,a,a,a,a,a]', ...levels].join('\n'));
    },
    ...{ exit: 2, code: 'KF_SETTINGS_SYNTAX' },
  },
  {
    name: 'an unknown key',
    spoil: (site) => site.configure({ bootstap: {} }),
    ...{ ...invalid, names: /bootstap .*did you mean bootstrap\?/ },
  },
  {
    name: 'an unknown key of a plugin',
    spoil: (site) => site.configure({ storages: [{ use: 'file', pth: 'store' }] }),
    ...{ ...invalid, names: /storages\[0\]\.pth .*did you mean path\?/ },
  },
  {
    name: 'no encryption named',
    spoil: (site) => site.configure({ encryption: undefined }),
    ...{ ...invalid, names: /encryption.*\{ use: none \}/ },
  },
  {
    name: 'a missing key file',
    spoil: (site) => rmSync(join(site.directory, 'encryption.key')),
    ...{ ...invalid, names: /encryption\.keys\[0\].*encryption\.key does not exist/ },
  },
  {
    name: 'a key file that is a folder',
    spoil: (site) => {
      rmSync(join(site.directory, 'encryption.key'));
      mkdirSync(join(site.directory, 'encryption.key'));
    },
    ...{ ...invalid, names: 'encryption.key' },
  },
  {
    name: 'an encryption key that is too short',
    spoil: (site) => site.write('encryption.key', `${site.encryptionKey.slice(0, 20)}\n`),
    ...{ ...invalid, names: /encryption\.keys\[0\].*32 bytes/ },
  },
  {
    name: 'a secret from a variable that is not set',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: how a settings file refers to a variable
    spoil: (site) => site.configure({ encryption: { use: 'aes-gcm', keys: ['${env:NO_SUCH_KEY}'] } }),
    ...{ ...invalid, names: 'NO_SUCH_KEY' },
  },
  {
    name: 'a private key where the public one belongs',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: how a settings file refers to a file
    spoil: (site) => site.configure({ signing: { publicKeys: ['${file:head.key}'] } }),
    commands: ['bootstrap'],
    ...{ exit: 2, code: 'KF_KEY_INVALID', names: /signing\.publicKeys/ },
  },
  {
    name: 'a signing key that is none',
    spoil: (site) => site.write('head.key', 'not a key'),
    commands: ['export'],
    ...{ exit: 2, code: 'KF_KEY_INVALID', names: /signing\.privateKey/ },
  },
  {
    name: 'a plugin that is not installed',
    spoil: (site) => site.configure({ storages: [{ use: 'gcs', bucket: 'b' }] }),
    ...{ exit: 2, code: 'KF_PLUGIN_NOT_FOUND', names: /gcs/, hint: /npm install|kongfallback-storage-gcs/ },
  },
  {
    name: 'a key that is not that of the certificate',
    spoil: (site) => site.write('cluster.key', site.signingKey),
    ...{ ...invalid, names: /controlPlane\.key .*does not belong to controlPlane\.certificate/ },
  },
  {
    name: 'a certificate file that is missing',
    spoil: (site) => rmSync(join(site.directory, 'cluster.crt')),
    ...{ ...invalid, names: /controlPlane\.certificate.*cluster\.crt/ },
  },
  {
    name: 'a variable that is no setting',
    spoil: () => {},
    env: { KONGFALLBACK_EXPORT__DELAY_SECOND: '5' },
    ...{ ...invalid, names: /KONGFALLBACK_EXPORT__DELAY_SECOND.*did you mean/ },
  },
  {
    name: 'a flag without a value',
    spoil: () => {},
    args: ['--set', 'export.delaySeconds'],
    // What was given is not repeated: it may be a secret.
    ...{ exit: 2, code: 'KF_SETTINGS_FLAG', names: 'path=value' },
  },
];

describe('settings and keys', () => {
  let original: Site;
  let site: Site;

  beforeAll(() => {
    original = new Site();
    writeFileSync(original.target, '{"_format_version":"3.0"}');
    writeFileSync(join(original.store, 'kept'), 'by somebody else');
  });
  beforeEach(() => {
    site = original.copy();
  });
  afterEach(() => site.remove());
  afterAll(() => original.remove());

  const runs = CASES.flatMap(({ commands = COMMANDS, ...rest }) =>
    commands.map((command) => ({ command, ...rest })),
  );

  it.each(runs)('$command: $name', async ({ command, args = [], env = {}, spoil, ...expected }) => {
    spoil(site);
    await expectRefusal(site, [command, '--once', ...args], expected, { env });
  });

  const asRoot = process.getuid?.() === 0;
  if (asRoot) console.log('SKIPPED: files without read permission, because root may read them all the same');

  it.skipIf(asRoot).each([
    [SETTINGS, { exit: 2, code: 'KF_SETTINGS_UNREADABLE', names: SETTINGS }],
    ['encryption.key', { ...invalid, names: 'encryption.key' }],
    ['cluster.key', { ...invalid, names: 'controlPlane.key' }],
  ])('%s without read permission', async (name, expected) => {
    chmodSync(join(site.directory, name), 0);
    await expectRefusal(site, ['export', '--once'], expected);
  });

  it('config refuses what export refuses, and shows no secret of what it accepts', async () => {
    const shown = await site.run(['config', '--all', '--json']);
    expect(shown.code, shown.stderr).toBe(0);
    expectNoSecret(shown, site.secrets);
    expect(shown.stdout).toContain('***');
    site.configure({ bootstap: {} });
    await expectRefusal(site, ['config'], { ...invalid, names: 'bootstap' });
  });

  it.each([
    // They are about a gateway that is to be started.
    ['bootstrap', '--require'],
    // It accepts one configuration, so it goes with --once only.
    ['export', '--accept-shrinkage', 'half of it moved away'],
  ])('%s without --once', async (...args) => {
    await expectRefusal(site, args, { exit: 2, code: 'KF_USAGE', hint: /once|beside/ });
  });
});

describe('the command line', () => {
  const cwd = process.cwd();

  it.each([
    { args: ['bootstap'], says: /unknown command 'bootstap'.*bootstrap/s },
    { args: ['frobnicate', '--json'], says: /unknown command 'frobnicate'/ },
    { args: ['bootstrap', '--onse'], says: /unknown option '--onse'.*--once/s },
    { args: ['export', '--once', '--accept-shrinkage'], says: /argument missing/ },
    { args: ['export', '--once', 'surplus'], says: /too many arguments/ },
    { args: ['config', '--role', 'king'], says: /exporter, node, relay/ },
    { args: ['keygen', '--name', '../elsewhere'], says: /--name/ },
  ])('$args', async ({ args, says }) => {
    const result = await runCli(args, { cwd });
    expect(result.code, result.stderr).toBe(2);
    expect(result.stdout).toBe('');
    expect(result.stderr).toMatch(says);
    expect(result.stderr).toMatch(/\[KF_(USAGE|KEYGEN_NAME)\]/);
    expect(result.stderr).toMatch(/^ {2}hint: /m);
    expect(result.stderr).not.toMatch(/\n {4}at /);
  });

  it.each([
    { args: ['--help'], lists: ['export', 'bootstrap', 'config', 'keygen', '--version'] },
    { args: ['export', '--help'], lists: ['--once', '--accept-shrinkage', '--config', '--set', '--json'] },
    { args: ['bootstrap', '--help'], lists: ['--once', '--config', '--set', '--json'] },
    { args: ['config', '--help'], lists: ['--role', '--all', '--json', '--config', '--set'] },
    { args: ['keygen', '--help'], lists: ['--out-dir', '--name', '--signing', '--encryption', '--json'] },
    { args: ['help', 'bootstrap'], lists: ['--once', '--config', '--set', '--json'] },
  ])('$args', async ({ args, lists }) => {
    const result = await runCli(args, { cwd });
    expect(result.code, result.stderr).toBe(0);
    expect(result.stderr).toBe('');
    for (const word of lists) expect(result.stdout).toContain(word);
  });

  it('says what there is when nothing is asked', async () => {
    const result = await runCli([], { cwd });
    expect(result.code).toBe(2);
    expect(result.stderr).toContain('Commands:');
  });

  it('tells its version', async () => {
    const result = await runCli(['--version'], { cwd });
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout).toMatch(/^\d+\.\d+\.\d+/);
  });
});
