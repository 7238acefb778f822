// `kongfallback doctor` against set-ups that are broken in one way each, and against one of each role that is not. In this
// process, because they are many.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttp } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WRITER } from '../s3/double.ts';
import { clusterCertificate } from '../stand-in/certificates.ts';
import type { StandInOptions } from '../stand-in/control-plane.ts';
import { ago, writeHead } from '../unit/commands/command-run.ts';
import { type Role, remove, type SetUp, World } from './doctor-set-up.ts';
import { lifecycleServer } from './lifecycle-server.ts';

interface Result {
  readonly area: string;
  readonly code: string;
  readonly severity: 'ok' | 'warning' | 'error';
  readonly message: string;
  readonly hint?: string;
}

interface Row {
  readonly what: string;
  readonly role: Role;
  readonly breaking: (setUp: SetUp, world: World) => unknown;
  readonly code: string;
  readonly exit: 21 | 22;
}

const world = new World();

beforeAll(() => world.start());
afterAll(() => world.close());

const results = (stdout: string): Result[] => (JSON.parse(stdout) as { results: Result[] }).results;
const DAY_MS = 86_400_000;

const controlPlane =
  (options: Partial<StandInOptions>) =>
  async ({ opened, settings }: SetUp) => {
    const other = await world.controlPlane(options);
    opened.push(() => other.close());
    settings['controlPlane'].address = `127.0.0.1:${other.port}`;
  };

const bucket =
  (options: Parameters<World['copyOfBucket']>[0], fault?: World['double']['faults'][number]) =>
  async ({ opened, settings }: SetUp) => {
    const double = await world.copyOfBucket(options);
    if (fault !== undefined) double.faults = [fault];
    opened.push(() => double.close());
    settings['storages'][0].endpoint = double.endpoint;
  };

const certificate =
  (options: Parameters<typeof clusterCertificate>[0]) =>
  async ({ opened, settings, site }: SetUp) => {
    const pair = clusterCertificate(options);
    site.write('cluster.crt', pair.certificate);
    site.write('cluster.key', pair.key);
    const other = await world.controlPlane({ certificate: pair });
    opened.push(() => other.close());
    settings['controlPlane'].address = `127.0.0.1:${other.port}`;
  };

/** A directory in place of the bucket, with a head of so many minutes ago. */
const headOf = (minutes: number) => (setUp: SetUp) => {
  setUp.settings['storages'] = [{ use: 'file', path: 'store' }];
  writeHead(setUp.site, { aliveAt: ago(minutes), confirmedAt: ago(minutes) });
};

const occupied = async (setUp: SetUp): Promise<string> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  setUp.opened.push(() => server.close());
  return `127.0.0.1:${(server.address() as { port: number }).port}`;
};

const denied = { status: 403, code: 'AccessDenied' };

const BROKEN: readonly Row[] = [
  {
    what: 'the settings file is elsewhere',
    role: 'exporter',
    breaking: ({ flags }) => flags.push('--config', 'nowhere.yaml'),
    code: 'KF_SETTINGS_UNREADABLE',
    exit: 22,
  },
  {
    what: 'the settings are no YAML',
    role: 'exporter',
    breaking: ({ flags, site }) => {
      site.write('bad.yaml', 'cluster: [');
      flags.push('--config', 'bad.yaml');
    },
    code: 'KF_SETTINGS_SYNTAX',
    exit: 22,
  },
  {
    what: 'a setting is misspelt',
    role: 'relay',
    breaking: ({ settings }) => {
      settings['relay'].tripSecond = 3;
    },
    code: 'KF_SETTINGS_INVALID',
    exit: 22,
  },
  {
    what: 'a secret comes from a variable that is not set',
    role: 'exporter',
    breaking: ({ settings }) => {
      settings['encryption'].keys = [`\${env:NOT_SET}`];
    },
    code: 'KF_SETTINGS_INVALID',
    exit: 22,
  },
  {
    what: 'the exporter has no gateway versions',
    role: 'exporter',
    breaking: ({ settings }) => {
      delete settings['gatewayVersions'];
    },
    code: 'KF_SETTINGS_INVALID',
    exit: 22,
  },
  {
    what: 'a storage plugin is not installed',
    role: 'node',
    breaking: ({ settings }) => {
      settings['storages'].push({ use: 'floppy' });
    },
    code: 'KF_PLUGIN_NOT_FOUND',
    exit: 22,
  },
  {
    what: 'everybody may read the encryption key of an exporter',
    role: 'exporter',
    breaking: ({ site }) => chmodSync(join(site.directory, 'encryption.key'), 0o644),
    code: 'KF_SETTINGS_KEY_READABLE',
    exit: 22,
  },
  {
    what: 'everybody may read the cluster key of a node',
    role: 'node',
    breaking: ({ site }) => chmodSync(join(site.directory, 'cluster.key'), 0o644),
    code: 'KF_SETTINGS_KEY_READABLE',
    exit: 21,
  },
  {
    what: 'the cluster key is that of another certificate',
    role: 'exporter',
    breaking: ({ site }) => site.write('cluster.key', clusterCertificate().key),
    code: 'KF_SETTINGS_INVALID',
    exit: 22,
  },
  {
    what: 'nothing is signed',
    role: 'exporter',
    breaking: ({ settings }) => {
      delete settings['signing'];
    },
    code: 'KF_SETTINGS_UNSIGNED',
    exit: 21,
  },
  {
    what: 'a node believes whoever writes',
    role: 'node',
    breaking: ({ settings }) => {
      delete settings['signing'];
    },
    code: 'KF_SETTINGS_UNVERIFIED',
    exit: 21,
  },
  {
    what: 'the signing key is not the one that readers believe',
    role: 'exporter',
    breaking: ({ site }) => {
      const { publicKey } = generateKeyPairSync('ed25519');
      site.write('head.pub', publicKey.export({ type: 'spki', format: 'pem' }));
    },
    code: 'signing-key-foreign',
    exit: 22,
  },
  {
    what: 'the signing key is an RSA key',
    role: 'exporter',
    breaking: ({ site }) => {
      const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      site.write('head.key', privateKey.export({ type: 'pkcs8', format: 'pem' }));
    },
    code: 'KF_KEY_INVALID',
    exit: 22,
  },
  {
    what: 'the exporter has no public key',
    role: 'exporter',
    breaking: ({ settings }) => {
      delete settings['signing'].publicKeys;
    },
    code: 'signing-public-missing',
    exit: 21,
  },
  {
    what: 'a node holds the signing key',
    role: 'node',
    breaking: ({ site }) => site.write('head.key', site.signingKey),
    code: 'signing-key-at-reader',
    exit: 21,
  },
  {
    what: 'a relay has the signing key in its settings',
    role: 'relay',
    breaking: ({ settings, site }) => {
      settings['signing'].privateKey = site.signingKey;
    },
    code: 'signing-key-at-reader',
    exit: 21,
  },
  {
    what: 'a node holds another encryption key',
    role: 'node',
    breaking: ({ site }) => site.write('encryption.key', randomBytes(32).toString('base64')),
    code: 'drill-failed',
    exit: 22,
  },
  {
    what: 'a node believes another signing key',
    role: 'node',
    breaking: ({ site }) => {
      const { publicKey } = generateKeyPairSync('ed25519');
      site.write('head.pub', publicKey.export({ type: 'spki', format: 'pem' }));
    },
    code: 'head-refused',
    exit: 22,
  },
  {
    what: 'the cluster certificate has expired',
    role: 'relay',
    breaking: certificate({
      notBefore: new Date(Date.now() - 9 * DAY_MS),
      notAfter: new Date(Date.now() - DAY_MS),
    }),
    code: 'certificate-expired',
    exit: 22,
  },
  {
    what: 'the cluster certificate expires next week',
    role: 'node',
    breaking: certificate({ notAfter: new Date(Date.now() + 7 * DAY_MS) }),
    code: 'certificate-expires',
    exit: 21,
  },
  {
    what: 'the cluster certificate is of tomorrow',
    role: 'exporter',
    breaking: certificate({
      notBefore: new Date(Date.now() + DAY_MS),
      notAfter: new Date(Date.now() + 99 * DAY_MS),
    }),
    code: 'certificate-not-yet-valid',
    exit: 22,
  },
  {
    what: 'the cluster certificate has another name',
    role: 'relay',
    breaking: certificate({ commonName: 'admin.example.com' }),
    code: 'certificate-name',
    exit: 21,
  },
  {
    what: 'the control plane is away, for an exporter',
    role: 'exporter',
    breaking: ({ settings }) => {
      settings['controlPlane'].address = '127.0.0.1:1';
    },
    code: 'KF_CP_REFUSED_CONNECTION',
    exit: 22,
  },
  {
    what: 'the control plane is away, for a node',
    role: 'node',
    breaking: ({ settings }) => {
      settings['controlPlane'].address = '127.0.0.1:1';
    },
    code: 'KF_CP_REFUSED_CONNECTION',
    exit: 21,
  },
  {
    what: 'one of two addresses of the control plane is away',
    role: 'exporter',
    breaking: ({ settings }) => {
      settings['controlPlane'].address = ['127.0.0.1:1', settings['controlPlane'].address];
    },
    code: 'KF_CP_REFUSED_CONNECTION',
    exit: 21,
  },
  {
    what: 'the control plane is not to be found',
    role: 'exporter',
    breaking: ({ settings }) => {
      settings['controlPlane'].address = 'cp.invalid:8005';
    },
    code: 'name-unknown',
    exit: 22,
  },
  {
    what: 'the address is that of another cluster',
    role: 'relay',
    breaking: controlPlane({ presented: clusterCertificate() }),
    code: 'KF_CP_FOREIGN_CERTIFICATE',
    exit: 22,
  },
  {
    what: 'the address is no TLS port',
    role: 'exporter',
    breaking: controlPlane({ behaviour: 'not-tls' }),
    code: 'KF_CP_TLS_FAILED',
    exit: 22,
  },
  {
    what: 'the control plane will not have us',
    role: 'relay',
    breaking: controlPlane({ behaviour: 'bad-request' }),
    code: 'KF_CP_BAD_REQUEST',
    exit: 22,
  },
  {
    what: 'the address is that of a relay which stands in',
    role: 'exporter',
    breaking: controlPlane({ behaviour: 'stand-in' }),
    code: 'KF_CP_STAND_IN',
    exit: 22,
  },
  {
    what: 'the control plane is older than a gateway',
    role: 'exporter',
    breaking: async (setUp) => {
      await controlPlane({ version: '3.8.1' })(setUp);
    },
    code: 'KF_CP_REFUSED',
    exit: 22,
  },
  {
    what: 'a plugin is missing from the list, and the control plane is silent',
    role: 'node',
    breaking: controlPlane({ configuredPlugins: ['our-own-plugin'] }),
    code: 'KF_CP_NO_CONFIGURATION',
    exit: 21,
  },
  {
    what: "the control plane's clock is 10 s off",
    role: 'exporter',
    breaking: (setUp) => controlPlane({ date: new Date(Date.now() + 10_000).toUTCString() })(setUp),
    code: 'clock-off',
    exit: 21,
  },
  {
    what: "the control plane's clock is 5 min off",
    role: 'relay',
    breaking: (setUp) => controlPlane({ date: new Date(Date.now() - 300_000).toUTCString() })(setUp),
    code: 'clock-wrong',
    exit: 22,
  },
  {
    what: "the storage's clock is 30 s off",
    role: 'node',
    breaking: bucket({ clockOffsetMs: 30_000 }),
    code: 'clock-off',
    exit: 21,
  },
  {
    what: 'the storage is away, for an exporter',
    role: 'exporter',
    breaking: ({ settings }) => {
      settings['storages'][0].endpoint = 'http://127.0.0.1:1';
    },
    code: 'storage-put-fails',
    exit: 22,
  },
  {
    what: 'the storage is away, for a node',
    role: 'node',
    breaking: ({ settings }) => {
      settings['storages'][0].endpoint = 'http://127.0.0.1:1';
    },
    code: 'head-unreadable',
    exit: 22,
  },
  {
    what: 'the storage is not to be found',
    role: 'node',
    breaking: ({ settings }) => {
      settings['storages'].push({ ...settings['storages'][0], id: 'dr', endpoint: 'http://s3.invalid' });
    },
    code: 'name-unknown',
    exit: 22,
  },
  {
    what: 'the bucket does not exist',
    role: 'relay',
    breaking: ({ settings }) => {
      settings['storages'][0].bucket = 'another';
    },
    code: 'nothing-to-restore',
    exit: 22,
  },
  {
    what: 'the exporter has the rights of a reader',
    role: 'exporter',
    breaking: ({ settings }, { double }) => {
      Object.assign(settings['storages'][0], { accessKeyId: 'READER', secretAccessKey: 'reader-secret' });
      expect(double.objects.size).toBe(2);
    },
    code: 'storage-put-fails',
    exit: 22,
  },
  {
    what: 'the exporter may not list',
    role: 'exporter',
    breaking: bucket({}, { on: 'list', act: denied }),
    code: 'storage-list-fails',
    exit: 22,
  },
  {
    what: 'the exporter may not delete',
    role: 'exporter',
    breaking: bucket({}, { on: 'delete', act: denied }),
    code: 'storage-delete-fails',
    exit: 21,
  },
  {
    what: 'the exporter may not read what it wrote',
    role: 'exporter',
    breaking: bucket({}, { on: 'get', key: /probe/, act: denied }),
    code: 'storage-get-fails',
    exit: 22,
  },
  {
    what: 'the storage ignores conditions',
    role: 'exporter',
    breaking: bucket({ ignoreConditions: true }),
    code: 'storage-not-conditional',
    exit: 22,
  },
  {
    what: 'the storage takes conditions the wrong way round',
    role: 'exporter',
    breaking: bucket({ invertConditions: true }),
    code: 'storage-not-conditional',
    exit: 22,
  },
  {
    what: 'the storage accepts requests and says nothing',
    role: 'node',
    breaking: async (setUp) => {
      await bucket({}, { on: 'get', act: { hang: true } })(setUp);
      setUp.settings['storages'][0].requestTimeoutSeconds = 0.1;
    },
    code: 'head-unreadable',
    exit: 22,
  },
  {
    what: 'a node may write to the bucket',
    role: 'node',
    breaking: ({ settings }) => {
      Object.assign(settings['storages'][0], WRITER);
    },
    code: 's3/writable-by-reader',
    exit: 21,
  },
  {
    what: 'a relay may write to the directory',
    role: 'relay',
    breaking: headOf(0),
    code: 'file/writable-by-reader',
    exit: 22,
  },
  {
    what: 'a lifecycle rule deletes what is old',
    role: 'exporter',
    breaking: async ({ opened, settings }, { double }) => {
      const server = await lifecycleServer(
        double,
        '<Filter><Prefix></Prefix></Filter><Expiration><Days>30</Days></Expiration>',
      );
      opened.push(() => server.close());
      settings['storages'][0].endpoint = server.endpoint;
    },
    code: 's3/lifecycle-deletes',
    exit: 22,
  },
  {
    what: 'the prefix is another one than the exporter has',
    role: 'node',
    breaking: ({ settings }) => {
      settings['storages'][0].prefix = 'production';
    },
    code: 'nothing-to-restore',
    exit: 22,
  },
  {
    what: 'nothing was exported yet, for the exporter',
    role: 'exporter',
    breaking: ({ settings }) => {
      settings['storages'][0].prefix = 'new';
    },
    code: 'nothing-to-restore',
    exit: 21,
  },
  {
    what: 'no snapshot for the version of this node',
    role: 'node',
    breaking: ({ settings }) => {
      settings['bootstrap'].gatewayVersion = '3.8.1';
    },
    code: 'nothing-to-restore',
    exit: 22,
  },
  {
    what: 'the exporter has not written for hours',
    role: 'node',
    breaking: headOf(200),
    code: 'exporter-silent',
    exit: 22,
  },
  {
    what: 'the head is older than this node takes',
    role: 'node',
    breaking: (setUp) => {
      headOf(5)(setUp);
      setUp.settings['bootstrap'].maxAgeSeconds = 60;
    },
    code: 'snapshot-too-old',
    exit: 22,
  },
  {
    what: 'the snapshot is gone',
    role: 'relay',
    breaking: bucket({}, { on: 'get', key: /snapshots/, act: { status: 404, code: 'NoSuchKey' } }),
    code: 'drill-failed',
    exit: 22,
  },
  {
    what: 'the cache cannot be made',
    role: 'node',
    breaking: ({ settings }) => {
      settings['bootstrap'].cacheDirectory = 'cluster.crt/cache';
    },
    code: 'folder-unwritable',
    exit: 21,
  },
  {
    what: 'everybody may write to the cache',
    role: 'relay',
    breaking: ({ site }) => {
      mkdirSync(join(site.directory, 'relay-cache'));
      chmodSync(join(site.directory, 'relay-cache'), 0o777);
    },
    code: 'folder-open',
    exit: 21,
  },
  {
    what: 'the folder of the target is not there',
    role: 'node',
    breaking: ({ site }) => rmSync(join(site.directory, 'node'), { recursive: true }),
    code: 'folder-unwritable',
    exit: 22,
  },
  {
    what: 'there is no room for the document',
    role: 'node',
    breaking: ({ settings }) => {
      settings['bootstrap'].cacheDirectory = '/proc/kongfallback';
    },
    code: 'disk-space-low',
    exit: 22,
  },
  {
    what: 'the port of the service is taken',
    role: 'exporter',
    breaking: async (setUp) => {
      setUp.settings['service'].listen = await occupied(setUp);
    },
    code: 'listen-in-use',
    exit: 22,
  },
  {
    what: 'the port of the relay is taken',
    role: 'relay',
    breaking: async (setUp) => {
      setUp.settings['relay'].listen = await occupied(setUp);
    },
    code: 'listen-in-use',
    exit: 22,
  },
  {
    what: 'the address of the relay is not of this machine',
    role: 'relay',
    breaking: ({ settings }) => {
      settings['relay'].listen = '192.0.2.1:8005';
    },
    code: 'listen-impossible',
    exit: 22,
  },
  {
    what: 'the gateway version is not known',
    role: 'node',
    breaking: ({ env, settings }) => {
      env['PATH'] = '/nowhere';
      settings['gatewayVersions'] = ['3.9.3', '3.8.1'];
    },
    code: 'gateway-version-unknown',
    exit: 22,
  },
  {
    what: 'the gateway that is installed is another one',
    role: 'node',
    breaking: ({ env, settings, site }) => {
      const bin = join(site.directory, 'bin');
      mkdirSync(bin);
      writeFileSync(join(bin, 'kong'), '#!/bin/sh\necho 3.8.1\n', { mode: 0o755 });
      env['PATH'] = `${bin}:/usr/bin:/bin`;
      settings['bootstrap'].gatewayVersion = '3.9.3';
    },
    code: 'gateway-version-differs',
    exit: 21,
  },
  {
    what: 'the relay keeps no copy',
    role: 'relay',
    breaking: ({ settings }) => {
      settings['gatewayVersions'] = [];
    },
    code: 'gateway-versions-unset',
    exit: 21,
  },
  {
    what: 'data planes beside the relay use incremental sync',
    role: 'relay',
    breaking: ({ env }) => {
      Object.assign(env, { KONG_CLUSTER_RPC: 'on', KONG_CLUSTER_INCREMENTAL_SYNC: 'on' });
    },
    code: 'incremental-sync-on',
    exit: 22,
  },
  {
    what: 'the node uses incremental sync, says kong.conf',
    role: 'node',
    breaking: ({ flags, settings, site }) => {
      site.write('kong.conf', 'role = data_plane\ncluster_rpc = on\ncluster_rpc_sync = on\n');
      flags.push('--kong-conf', 'kong.conf');
      settings['bootstrap'].kongPrefix = 'kong';
    },
    code: 'incremental-sync-on',
    exit: 21,
  },
  {
    what: 'the prefix of Kong is elsewhere',
    role: 'node',
    breaking: ({ settings }) => {
      settings['bootstrap'].kongPrefix = 'elsewhere';
    },
    code: 'kong-prefix-missing',
    exit: 21,
  },
  {
    what: "the node's LMDB is not Kong's",
    role: 'node',
    breaking: ({ site }) => {
      mkdirSync(join(site.directory, 'kong', 'dbless.lmdb'));
      writeFileSync(join(site.directory, 'kong', 'dbless.lmdb', 'data.mdb'), 'not this');
    },
    code: 'KF_LMDB_UNEXPECTED',
    exit: 21,
  },
];

describe('a set-up that is well', () => {
  it.each(['exporter', 'node', 'relay'] as const)('%s', async (role) => {
    const setUp = world.setUp(role);
    try {
      const before = [...world.double.objects.keys()];
      const { code, stderr, stdout } = await world.doctor(setUp, role);
      const wrong = results(stdout).filter(({ severity }) => severity !== 'ok');
      expect(wrong, stderr).toEqual([]);
      expect(code).toBe(0);
      expect(results(stdout).map(({ code: seen }) => seen)).toEqual(
        expect.arrayContaining(['snapshot-opens', 'control-plane-configures']),
      );
      // Nothing of the looking is left.
      expect([...world.double.objects.keys()]).toEqual(before);
    } finally {
      await remove(setUp);
    }
  });
});

describe('a set-up that is broken', () => {
  it('there are more than thirty ways', () => expect(BROKEN.length).toBeGreaterThan(30));

  it.each(BROKEN)('$role: $what', async ({ breaking, code, exit, role }) => {
    const setUp = world.setUp(role);
    try {
      await breaking(setUp, world);
      const ran = await world.doctor(setUp, role);
      const wrong = results(ran.stdout).filter(({ severity }) => severity !== 'ok');
      expect(wrong.map((one) => one.code)).toContain(code);
      for (const one of wrong) expect(one.hint, one.code).toMatch(/\w+ \w+/);
      expect(ran.code, JSON.stringify(wrong, null, 1)).toBe(exit);
      for (const secret of setUp.site.secrets) expect(ran.stdout + ran.stderr).not.toContain(secret);
    } finally {
      await remove(setUp);
    }
  });
});

it('an exporter that cannot open what it wrote, as age has it, is well', async () => {
  const setUp = world.setUp('exporter');
  try {
    const recipient = await identityToRecipient(await generateX25519Identity());
    setUp.settings['encryption'] = { use: 'age', recipients: [recipient] };
    setUp.settings['storages'] = [{ use: 'file', path: 'store' }];
    expect((await world.run(setUp, ['export', '--once'])).code).toBe(0);
    const { code, stdout } = await world.doctor(setUp, 'exporter');
    expect(results(stdout).filter(({ severity }) => severity !== 'ok')).toEqual([]);
    expect(results(stdout).map((one) => one.code)).toContain('snapshot-sealed-away');
    expect(code).toBe(0);
  } finally {
    await remove(setUp);
  }
});

it('a relay that runs has its ports, and that is well', async () => {
  const setUp = world.setUp('relay');
  try {
    const live = createHttp((_, response) => response.end('{"live":true}\n')).listen(0, '127.0.0.1');
    await once(live, 'listening');
    setUp.opened.push(() => live.close());
    setUp.settings['service'].listen = `127.0.0.1:${(live.address() as { port: number }).port}`;
    setUp.settings['relay'].listen = await occupied(setUp);
    const { code, stdout } = await world.doctor(setUp, 'relay');
    expect(results(stdout).filter((one) => one.code === 'listen-running')).toHaveLength(2);
    expect(code).toBe(0);
  } finally {
    await remove(setUp);
  }
});

describe('settings that are refused', () => {
  async function problemsOf(role: Role, breaking: (setUp: SetUp) => void) {
    const setUp = world.setUp(role);
    try {
      breaking(setUp);
      const { code, stdout } = await world.doctor(setUp, role);
      expect(code).toBe(22);
      return results(stdout);
    } finally {
      await remove(setUp);
    }
  }

  it('every problem is named, and files and keys are looked at all the same', async () => {
    const seen = await problemsOf('exporter', ({ settings, site }) => {
      settings['exprot'] = {};
      delete settings['cluster'];
      settings['encryption'].keys = [`\${file:gone.key}`];
      site.write('cluster.key', clusterCertificate().key);
      const { publicKey } = generateKeyPairSync('ed25519');
      site.write('head.pub', publicKey.export({ type: 'spki', format: 'pem' }));
    });
    const wrong = seen.filter(({ severity }) => severity === 'error');
    expect(wrong.map(({ code, message }) => `${code} ${message.split(/[ :]/)[0]}`).sort()).toEqual([
      'KF_SETTINGS_INVALID cluster',
      'KF_SETTINGS_INVALID controlPlane.key',
      'KF_SETTINGS_INVALID encryption.keys[0]',
      'KF_SETTINGS_INVALID exprot',
      'signing-key-foreign signing.privateKey',
    ]);
  });

  it('the storages are looked at all the same, where a reader could', async () => {
    const seen = await problemsOf('exporter', ({ settings }) => {
      settings['encryption'].keys = [`\${file:gone.key}`];
    });
    expect(seen.map(({ code }) => code)).toEqual(
      expect.arrayContaining(['storage-rights', 'snapshot-found']),
    );
  });
});

it('is one screen for a person, by area, with what is well', async () => {
  const setUp = world.setUp('node');
  try {
    setUp.settings['bootstrap'].kongPrefix = 'elsewhere';
    const { stdout } = await world.run(setUp, ['doctor', '--role', 'node']);
    expect(stdout).toMatch(/^degraded: node, 0 errors, 1 warning, \d+ ok\n\nmachine\n {2}ok +Node \d/);
    expect(stdout).toMatch(
      /\ngateway\n[\s\S]*warning {2}the prefix of Kong is not there: .*\[kong-prefix-missing\]\n +hint: /,
    );
    expect(stdout.split('\n').length).toBeLessThan(60);
  } finally {
    await remove(setUp);
  }
});

it('says of a role that there is none of', async () => {
  const setUp = world.setUp('node');
  try {
    const { code, stderr } = await world.run(setUp, ['doctor']);
    expect(code).toBe(2);
    expect(stderr).toContain('KF_USAGE');
    expect(readFileSync(join(setUp.site.directory, 'head.pub'), 'utf8')).toContain('PUBLIC KEY');
  } finally {
    await remove(setUp);
  }
});
