// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are what is tested
import { chmodSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type LoadSettingsOptions, loadSettings } from '../../../src/config/index.ts';
import { clusterCertificate } from '../../stand-in/certificates.ts';
import { folderWith } from './folder.ts';
import { fakeCatalogue } from './plugins.ts';

const { certificate, key } = clusterCertificate();
const CERTIFICATES = { 'cluster.crt': certificate, 'cluster.key': key };
const EVERY_ROLE = `
cluster: production
controlPlane: { address: cp.internal, certificate: cluster.crt, key: cluster.key }
gatewayVersions: ["3.9.1"]
storages: [{ use: file, path: store }]
encryption: { use: none }
bootstrap: { target: { use: file, path: kong.json } }
relay: { listen: "0.0.0.0:8005" }
`;

const load = (text: string, more: Partial<LoadSettingsOptions> = {}, files: Record<string, string> = {}) => {
  const cwd = folderWith({ ...CERTIFICATES, ...files, '.kongfallbackrc': text });
  return loadSettings({
    role: 'exporter',
    cwd,
    env: {},
    catalogue: fakeCatalogue(),
    etcDirectory: join(cwd, 'etc'),
    ...more,
  });
};

/** Lines of the one error, without the heading. */
const problems = async (loading: Promise<unknown>): Promise<string[]> => {
  const error = await loading.then(
    () => undefined,
    (thrown: unknown) => thrown as Error & { code: string },
  );
  expect(error).toMatchObject({ kind: 'invalid', code: 'KF_SETTINGS_INVALID' });
  return (error?.message ?? '')
    .split('\n')
    .slice(1)
    .map((line) => line.trim());
};

const rowsOf = async (loading: ReturnType<typeof load>) =>
  Object.fromEntries((await loading).rows.map(({ path, value, origin }) => [path, [value, origin]]));

describe('refused', () => {
  test('no file and no variable: the places are listed', async () => {
    const cwd = folderWith();
    const loading = loadSettings({
      role: 'node',
      cwd,
      env: {},
      catalogue: fakeCatalogue(),
      etcDirectory: join(cwd, 'etc'),
    });
    await expect(loading).rejects.toMatchObject({
      code: 'KF_SETTINGS_NOT_FOUND',
      hint: expect.stringMatching(/\.kongfallbackrc, .*config\.yaml.*\.kongfallbackrc\.example.*--config/s),
    });
  });

  test('all problems at once, each with its path, its place and what is expected', async () => {
    const text = `
cluster: "-bad"
gatewayVersions: [3.9, "3.9"]
storages:
  - { use: file, pth: x }
  - { use: file, id: two, path: 7, prefix: /a/ }
expart: {}
export: { delaySecond: 5, keep: { last: 0 }, successPolicy: some }
delaySeconds: 3
bootstrap: { waitSeconds: soon }
log: { level: loud }
limits: { maxDocumentBytes: 1e12 }
`;
    expect(await problems(load(text, { role: 'exporter' }))).toEqual([
      'cluster (file .kongfallbackrc:2:1): expected the name of the fleet: 1 to 63 letters, digits, dots, dashes or underscores',
      'gatewayVersions[0] (file .kongfallbackrc:3:19): expected a string, found a number; put it in quotes',
      'gatewayVersions[1] (file .kongfallbackrc:3:24): expected an exact gateway version in quotes, such as "3.9.1"',
      'storages[1].prefix (file .kongfallbackrc:6:36): expected letters, digits, dots, dashes, underscores and single slashes, without one at either end',
      'encryption: is required: name how snapshots are encrypted, such as { use: aes-gcm, keys: […] }, or write { use: none } to store them readable',
      'export.keep.last (file .kongfallbackrc:8:35): expected at least 1',
      'export.successPolicy (file .kongfallbackrc:8:46): expected "any" or "all"',
      'export.delaySecond (file .kongfallbackrc:8:11): is no setting; did you mean delaySeconds?',
      'bootstrap.waitSeconds (file .kongfallbackrc:10:14): expected a number, found a string',
      'log.level (file .kongfallbackrc:11:8): expected "debug" or "info" or "warn" or "error"',
      'limits.maxDocumentBytes (file .kongfallbackrc:12:11): expected at most 536870888',
      'expart (file .kongfallbackrc:7:1): is no setting; did you mean export?',
      'delaySeconds (file .kongfallbackrc:9:1): is no setting here; did you mean export.delaySeconds?',
      'storages[0].pth (file .kongfallbackrc:5:18): is no setting; did you mean path?',
      'storages[0].path (file .kongfallbackrc:5:5): is required',
      'storages[1].path (file .kongfallbackrc:6:27): expected a string, found a number; put it in quotes',
    ]);
  });

  test.each([
    ['an address with a scheme', 'address: "https://cp"', 'expected host:port without a scheme'],
    ['one of several addresses', 'address: [ok, "a b"]', 'controlPlane.address[1]'],
    ['a bare IPv6 address', 'address: "fd00::1"', '[fd00::1]:8005'],
    ['a port out of range', 'address: "cp:70000"', 'between 1 and 65535'],
    ['ca without pki', 'address: cp, ca: cluster.crt', 'is used with mtls: pki only'],
    ['pki without ca', 'address: cp, mtls: pki', 'is required with mtls: pki'],
  ])('%s', async (_, given, message) => {
    const text = EVERY_ROLE.replace('address: cp.internal', given);
    expect((await problems(load(text))).join('\n')).toContain(message);
  });

  test('two instances with one id', async () => {
    const text = EVERY_ROLE.replace(
      '[{ use: file, path: store }]',
      '[{ use: file, path: a }, { use: file, path: b }]',
    );
    await expect(load(text)).rejects.toMatchObject({
      code: 'KF_PLUGIN_DUPLICATE_ID',
      message: 'two storage plugins have one id: storages[1] has the id file that storages[0] has already',
    });
  });

  test('a plugin that is missing keeps its own code when it is the only problem', async () => {
    const text = EVERY_ROLE.replace('use: none', 'use: nine');
    await expect(load(text)).rejects.toMatchObject({ code: 'KF_PLUGIN_NOT_FOUND' });
    expect(await problems(load(`${text}\nzzz: 1`))).toHaveLength(2);
  });

  test('a plugin whose schema throws', async () => {
    const text = EVERY_ROLE.replace('use: file, path: store', 'use: throwing');
    await expect(load(text)).rejects.toMatchObject({
      code: 'KF_PLUGIN_INVALID',
      message: expect.stringContaining('half-written plugin'),
    });
  });

  test('a file full of mistakes: the message is bounded', async () => {
    const text = EVERY_ROLE + Array.from({ length: 2900 }, (_, i) => `x${i}: 1`).join('\n');
    const lines = await problems(load(text));
    expect(lines).toHaveLength(51);
    expect(lines.at(-1)).toBe('and 2850 more');
  });

  test('__proto__ from the file and from a flag', async () => {
    expect((await problems(load(`${EVERY_ROLE}\n__proto__: { a: 1 }`))).join()).toContain(
      'is not a name of a setting',
    );
    expect((await problems(load(EVERY_ROLE, { flags: { '__proto__.a': '1' } }))).join()).toContain(
      'expected a path',
    );
    expect(({} as { a?: unknown }).a).toBeUndefined();
  });
});

describe('roles take what they need', () => {
  const SECRETS = `${EVERY_ROLE}
signing: { privateKey: "\${file:/nowhere/head.key}" }
source: { use: file, path: "\${env:NOT_SET}" }
export: { delaySeconds: "\${env:NOT_SET_EITHER}" }
`;

  test('a node does not fail for a secret or a plugin of the exporter', async () => {
    const catalogue = fakeCatalogue();
    const { settings, entries } = await load(
      SECRETS.replace('use: file, path: "$', 'use: missing, path: "$'),
      { role: 'node', catalogue },
    );
    expect(settings.signing.privateKey).toBeUndefined();
    expect(settings.export.delaySeconds).toBe(5);
    expect(entries.source).toBeUndefined();
    expect(entries.target).toMatchObject({ kind: 'target', use: 'file', settings: { path: 'kong.json' } });
    expect(catalogue.asked.join()).not.toContain('missing');
  });

  test.each(['exporter', 'all'] as const)('%s does, and every one is named', async (role) => {
    expect(await problems(load(SECRETS, { role }))).toEqual([
      'signing.privateKey (file .kongfallbackrc:10:12): the file /nowhere/head.key does not exist',
      'source.path (file .kongfallbackrc:11:22): the environment variable NOT_SET is not set',
      'export.delaySeconds (file .kongfallbackrc:12:11): the environment variable NOT_SET_EITHER is not set',
    ]);
  });

  test('plugins by role', async () => {
    const asked = async (role: LoadSettingsOptions['role'], more = '') => {
      const catalogue = fakeCatalogue();
      await load(EVERY_ROLE + more, { role, catalogue });
      return [...new Set(catalogue.asked.map((text) => text.split(' ')[0]))].sort().join(' ');
    };
    expect(await asked('exporter')).toBe('encryption source storage validator');
    expect(await asked('node')).toBe('encryption storage target validator');
    expect(await asked('node', 'signing: { publicKeys: [x] }')).toBe('encryption storage target');
    expect(await asked('relay')).toBe('encryption storage validator');
    expect(await asked('relay', 'signing: { publicKeys: [x] }')).toBe('encryption storage');
    expect(await asked('all')).toBe('encryption source storage target validator');
  });

  test('what a role cannot do without', async () => {
    const bare = 'cluster: x\nstorages: [{ use: file, path: s }]\nencryption: none\n';
    expect(await problems(load(bare, { role: 'exporter' }))).toEqual([
      'controlPlane: is required for the exporter: { address, certificate, key }; or cluster_control_plane, cluster_cert and cluster_cert_key of Kong',
      'gatewayVersions: is required for the exporter: the exact gateway versions in use, such as ["3.9.1"]',
    ]);
    expect((await problems(load(bare, { role: 'node' })))[0]).toMatch(
      /^bootstrap\.target: is required for a node/,
    );
    expect(await problems(load(bare, { role: 'relay' }))).toHaveLength(2);
    await expect(
      load(`${bare}gatewayVersions: ["3.9.1"]\nsource: { use: file, path: x }`),
    ).resolves.toBeDefined();
    await expect(load(bare, { role: 'all' })).resolves.toBeDefined();
  });
});

describe('what was loaded', () => {
  test('defaults, PEMs, ports and paths are filled in, and nothing can be changed', async () => {
    const { settings, entries, baseDirectory, file } = await load(
      EVERY_ROLE.replace('bootstrap: {', 'bootstrap: { cacheDirectory: cache,'),
    );
    expect(settings.controlPlane).toEqual({
      addresses: ['cp.internal:8005'],
      certificate,
      key,
      mtls: 'shared',
    });
    expect(settings.export).toMatchObject({ delaySeconds: 5, successPolicy: 'any', instance: hostname() });
    expect(settings.bootstrap.cacheDirectory).toBe(join(baseDirectory, 'cache'));
    expect(file).toBe(join(baseDirectory, '.kongfallbackrc'));
    expect(entries.validators.map(({ id }) => id)).toEqual([
      'kong-schema',
      'shrinkage',
      'expiry',
      'limits',
      'outage-readiness',
    ]);
    expect(entries.validators[1]?.settings).toEqual({ maxShrinkPercent: 50 });
    expect(entries.storages[0]).toMatchObject({ id: 'file', prefix: '', singleWriter: false });
    expect(() => {
      (settings.export.keep as { last: number }).last = 1;
    }).toThrow(TypeError);
  });

  test('the later layer wins: defaults, file, layers between, environment, flags', async () => {
    const text = `${EVERY_ROLE}\nexport: { delaySeconds: 1, evidenceMarginSeconds: 1, successPolicy: all }\nservice: { listen: "h:1" }`;
    const kong = [
      {
        path: ['service', 'listen'],
        value: 'kong:2',
        origin: { kind: 'kong', name: 'status_listen' } as const,
      },
    ];
    const rows = await rowsOf(
      load(text, {
        layers: [kong],
        env: { KONGFALLBACK_EXPORT__DELAY_SECONDS: '2', KONGFALLBACK_EXPORT__EVIDENCE_MARGIN_SECONDS: '2' },
        flags: { 'export.delaySeconds': '3' },
      }),
    );
    expect(rows['export.delaySeconds']).toEqual([3, 'flag --set export.delaySeconds']);
    expect(rows['export.evidenceMarginSeconds']).toEqual([
      2,
      'env KONGFALLBACK_EXPORT__EVIDENCE_MARGIN_SECONDS',
    ]);
    expect(rows['service.listen']).toEqual(['kong:2', 'kong status_listen']);
    expect(rows['export.successPolicy']).toEqual(['all', 'file .kongfallbackrc:10:54']);
    expect(rows['export.keep.last']).toEqual([20, 'default']);
    expect(rows['validators[1]']).toEqual(['shrinkage', 'default']);
  });

  test('no file at all: everything from the environment', async () => {
    const cwd = folderWith({ 'k1.key': '0123456789abcdef\n' });
    const { settings, entries, file } = await loadSettings({
      role: 'node',
      cwd,
      catalogue: fakeCatalogue(),
      etcDirectory: join(cwd, 'etc'),
      env: {
        KONGFALLBACK_CLUSTER: 'production',
        KONGFALLBACK_GATEWAY_VERSIONS: '3.9.1, 3.8.0',
        KONGFALLBACK_STORAGES__0__USE: 's3',
        KONGFALLBACK_STORAGES__0__BUCKET: 'b',
        KONGFALLBACK_STORAGES__0__MAX_ATTEMPTS: '2',
        KONGFALLBACK_STORAGES__0__FORCE_PATH_STYLE: 'true',
        KONGFALLBACK_STORAGES__0__TAGS: '["x"]',
        KONGFALLBACK_STORAGES__0__SINGLE_WRITER: 'true',
        KONGFALLBACK_STORAGES__1: 'opaque',
        KONGFALLBACK_ENCRYPTION__USE: 'aes-gcm',
        KONGFALLBACK_ENCRYPTION__KEYS__0: '${file:k1.key}',
        KONGFALLBACK_BOOTSTRAP__TARGET: '{"use":"file","path":"kong.json"}',
        KONGFALLBACK_VALIDATORS: '',
      },
    });
    expect(file).toBeUndefined();
    expect(settings.gatewayVersions).toEqual(['3.9.1', '3.8.0']);
    expect(entries.storages[0]).toMatchObject({
      singleWriter: true,
      settings: { bucket: 'b', maxAttempts: 2, forcePathStyle: true, tags: ['x'] },
    });
    expect(entries.storages[1]).toMatchObject({ id: 'opaque', settings: {} });
    expect(entries.encryption[0]?.settings).toEqual({ keys: ['0123456789abcdef'] });
    expect(entries.validators).toEqual([]);
    expect(entries.target?.settings).toEqual({ path: 'kong.json' });
  });

  test('a setting added to an entry that is a bare name', async () => {
    const text = `${EVERY_ROLE}\nvalidators: [shrinkage]`;
    const env = {
      KONGFALLBACK_VALIDATORS__0__MAX_SHRINK_PERCENT: '10',
      KONGFALLBACK_VALIDATORS__1: 'kong-schema',
    };
    const { entries, origins } = await load(text, { env });
    expect(entries.validators.map(({ use, settings }) => [use, settings])).toEqual([
      ['shrinkage', { maxShrinkPercent: 10 }],
      ['kong-schema', {}],
    ]);
    expect(origins.get('validators[0].use')).toBe('file .kongfallbackrc:10:14');
  });

  test('warnings: unsigned, unverified, not probed, a key that all may read', async () => {
    const codes = async (loading: ReturnType<typeof load>) =>
      (await loading).warnings.map(({ code }) => code);
    expect(await codes(load(EVERY_ROLE))).toEqual(['KF_SETTINGS_UNSIGNED']);
    expect(await codes(load(EVERY_ROLE, { role: 'node' }))).toEqual(['KF_SETTINGS_UNVERIFIED']);
    expect(await codes(load(EVERY_ROLE.replace(/controlPlane.*\n/, ''), { role: 'node' }))).toContain(
      'KF_SETTINGS_NO_CONTROL_PLANE',
    );
    const cwd = folderWith({
      ...CERTIFICATES,
      'a.yaml': `${EVERY_ROLE}signing: { privateKey: "\${file:head.key}" }`,
      'head.key': 'head',
    });
    chmodSync(join(cwd, 'cluster.key'), 0o644);
    chmodSync(join(cwd, 'a.yaml'), 0o666);
    const options = {
      role: 'node',
      cwd,
      env: {},
      catalogue: fakeCatalogue(),
      configPath: 'a.yaml',
    } as const;
    expect(await codes(loadSettings(options))).toEqual([
      'KF_SETTINGS_WRITABLE',
      'KF_SETTINGS_KEY_READABLE',
      'KF_SETTINGS_UNVERIFIED',
    ]);
  });
});

describe('secrets', () => {
  const SECRET = 'correct-horse-battery';
  const TEXT = `
cluster: production
controlPlane: { address: cp, certificate: cluster.crt, key: "\${env:CLUSTER_KEY}" }
gatewayVersions: ["3.9.1"]
storages:
  - { use: s3, bucket: "b-\${env:SECRET}-x", secretAccessKey: literal-secret-key }
  - { use: opaque, token: literal-token }
encryption: { use: aes-gcm, keys: ["\${file:k1.key}"] }
signing: { privateKey: literal-private-key }
source: { use: missing, token: literal-source-token }
`;
  const env = { SECRET, CLUSTER_KEY: key };
  const files = { 'k1.key': `${SECRET}-key\n` };

  test('are *** in every row, and all known for redaction', async () => {
    const { rows, secrets, settings, entries } = await load(
      `${TEXT}bootstrap: { target: { use: file, path: x } }`,
      { env, role: 'node' },
      files,
    );
    const shown = JSON.stringify(rows);
    for (const secret of [
      SECRET,
      'literal-secret-key',
      'literal-token',
      'literal-private-key',
      'literal-source-token',
      'BEGIN EC',
      'BEGIN PRIVATE',
    ]) {
      expect(shown).not.toContain(secret);
    }
    expect(rows.find(({ path }) => path === 'storages[0].bucket')).toMatchObject({ value: '***' });
    expect(secrets).toEqual(
      expect.arrayContaining([SECRET, `${SECRET}-key`, 'literal-secret-key', key.trim()]),
    );
    expect(secrets.indexOf(`${SECRET}-key`)).toBeLessThan(secrets.indexOf(SECRET));
    expect(settings.controlPlane?.key).toBe(key);
    expect(entries.encryption[0]?.settings).toEqual({ keys: [`${SECRET}-key`] });
  });

  test('do not get into the message of an error about them', async () => {
    const bad = TEXT.replace('literal-private-key', `"\${env:SECRET}"`).replace(
      'bucket: "b',
      `bucket: 5, "tags-\${env:SECRET}": 1, "b`,
    );
    const error = await load(
      bad.replace('missing', 'kong-hybrid').replace(', token: literal-source-token', ''),
      { env: { ...env, CLUSTER_KEY: SECRET } },
      files,
    ).catch((e: Error) => e);
    expect(String((error as Error).message)).toMatch(/controlPlane\.key/);
    expect(JSON.stringify([(error as Error).message, (error as { hint?: string }).hint])).not.toContain(
      SECRET,
    );
  });

  test('a secret in a variable that is a reference itself, and $${ for a literal', async () => {
    const text = TEXT.replace('"b-${env:SECRET}-x"', () => '"b-$${env:SECRET}"').replace(
      'missing, token: literal-source-token',
      'kong-hybrid',
    );
    const { entries } = await load(
      text,
      { env: { ...env, KONGFALLBACK_STORAGES__0__SECRET_ACCESS_KEY: '${env:SECRET}' } },
      files,
    );
    expect(entries.storages[0]?.settings).toMatchObject({
      bucket: 'b-${env:SECRET}',
      secretAccessKey: SECRET,
    });
  });
});
