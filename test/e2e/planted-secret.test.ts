// Secrets in every place that takes one, and in the configuration itself; whatever is run, and however it fails, none of
// them is heard of again, in any form, but where it belongs: in the target's file and in what `show --document` prints.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VaultDouble } from '../contract/encryption/vault-double.ts';
import { ConnectProxy } from '../s3/connect-proxy.ts';
import { S3Double, WRITER } from '../s3/double.ts';
import { type StandInControlPlane, startStandInControlPlane } from '../stand-in/control-plane.ts';
import { TestDataPlane } from '../stand-in/data-plane.ts';
import { startEchoServer } from './echo-server.ts';
import { frameOf } from './exported.ts';
import { Planted } from './planted.ts';
import { plantedDocument } from './planted-document.ts';
import { RunningExporter } from './running-exporter.ts';
import { RunningRelay } from './running-relay.ts';
import { Site } from './site.ts';

let planted: Planted;
let site: Site;
let controlPlane: StandInControlPlane;
let ends: (() => unknown)[];
let documents: readonly Buffer[];

beforeEach(async () => {
  ends = [];
  planted = new Planted();
  site = new Site();
  ends.push(() => site.remove());
  planted.add('aes-gcm key', site.encryptionKey);
  planted.add('aes-gcm key, its bytes', Buffer.from(site.encryptionKey, 'base64').toString('hex'));
  planted.addPem('cluster key', site.certificate.key);
  planted.addPem('signing key', site.signingKey);
  documents = [1, 2, 3].map((n) => plantedDocument(planted, n));
  controlPlane = await startStandInControlPlane({ certificate: site.certificate });
  ends.push(() => controlPlane.close());
  site.pointAt(controlPlane.port);
});

afterEach(async () => {
  for (const end of ends.reverse()) await end();
});

/** Settings over the site's own, logged to the last detail. */
const configure = (over: object): void => site.configure({ log: { level: 'debug' }, ...over });

const send = (n: number): void =>
  controlPlane.setFrame(frameOf(documents[n - 1] ?? Buffer.alloc(0), 400 - 100 * n));

/** Runs a command and listens. @returns its exit code */
async function run(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<number | null> {
  const result = await site.run(args, { env });
  planted.hearAll(args.join(' '), result);
  return result.code;
}

/** A store behind a proxy, both with credentials; and a vault beside the key. */
async function everything(): Promise<object> {
  const [s3, vault] = [await new S3Double().start(), await VaultDouble.start()];
  const credentials = `user:${planted.word('proxy password', true)}`;
  planted.add('proxy credentials', credentials);
  const proxy = await new ConnectProxy({ credentials }).start();
  ends.push(
    () => s3.close(),
    () => vault.stop(),
    () => proxy.close(),
  );
  vault.createKey('transit', 'kong');
  site.write('session-token', planted.word('session token', true));
  site.write('s3-secret', planted.word('secretAccessKey'));
  return {
    storages: [
      { use: 'file', path: 'store' },
      {
        ...{ use: 's3', bucket: s3.bucket, endpoint: s3.endpoint, accessKeyId: WRITER.accessKeyId },
        secretAccessKey: reference('file:s3-secret'),
        sessionToken: reference('file:session-token'),
        ...{ proxy: proxy.url, proxyCredentials: credentials },
      },
    ],
    encryption: [
      { use: 'aes-gcm', keys: [reference('file:encryption.key')] },
      {
        use: 'vault-transit',
        address: vault.address,
        key: 'kong',
        auth: { token: planted.add('vault token', vault.createToken()) },
      },
    ],
  };
}

const reference = (what: string): string => `\${${what}}`;

// Some fifty processes, one after the other.
describe('while all goes well', { timeout: 400_000 }, () => {
  it('export once and running, every way to look, bootstrap in its forms', async () => {
    configure({
      ...(await everything()),
      export: { confirmSchedule: '*/2 * * * * *', delaySeconds: 0 },
    });
    for (const n of [1, 2]) {
      send(n);
      expect(await run(['export', '--once', ...(n === 1 ? ['--json'] : [])])).toBe(0);
    }
    const exporter = await RunningExporter.start(site);
    // Whether a confirmation is due at the start depends on how fast the machine is.
    await exporter.event(['export.unchanged', 'export.confirmed']);
    send(3);
    await exporter.event('export.published');
    await planted.hearHttp('exporter', exporter.address);
    controlPlane.setFrame(frameOf(Buffer.from('{"_format_version":"3.0","services":[]}'), 0));
    await exporter.event('export.refused');
    await planted.hearHttp('exporter, refused', exporter.address);
    planted.hearTitles(process.pid);
    planted.hearAll('exporter', await exporter.stop());

    for (const command of [
      ['status'],
      ['history'],
      ['show', 'current'],
      ['diff', 'previous', 'current'],
      ['drill'],
      ['trust'],
      ['config'],
      ['config', '--all'],
      ['policy', '--role', 'exporter'],
      ['doctor', '--role', 'exporter'],
      ['doctor', '--role', 'node'],
      ['doctor', '--role', 'relay'],
    ]) {
      await Promise.all([run(command), run([...command, '--json'])]);
    }
    expect(await run(['rollback', 'previous', '--reason', 'planted'])).toBe(0);
    await run(['rollback', '--resume', '--json']);
    expect((await site.run(['show', 'current', '--document'])).stdout).toContain('keyauth_credentials');

    await controlPlane.close();
    expect(await run(['bootstrap', '--once', '--json'])).toBe(0);
    expect(readFileSync(site.target, 'utf8')).toContain('keyauth_credentials');
    expect(await run(['bootstrap', '--once', '--force'])).toBe(0);
    mkdirSync(join(site.directory, 'init'));
    expect(await run(['bootstrap', '--init', join(site.directory, 'init')])).toBe(0);
    planted.hear('env.sh', readFileSync(join(site.directory, 'init', 'env.sh'), 'utf8'));
    const echo = ['sh', '-c', 'tr "\\0" " " < /proc/$PPID/cmdline; echo "$KONG_DECLARATIVE_CONFIG"'];
    expect(await run(['bootstrap', '--', ...echo])).toBe(0);
    expect(planted.heard.length).toBeGreaterThan(60);
    planted.expectSilence();
  });

  it('a relay through an outage, and data planes that say what they like', async () => {
    configure(await everything());
    send(1);
    expect(await run(['export', '--once'])).toBe(0);
    configure({
      ...{
        relay: {
          listen: '127.0.0.1:0',
          tripSeconds: 0.5,
          stableSeconds: 0.5,
          drainSeconds: 0,
          cacheDirectory: 'relay-cache',
        },
      },
    });
    const relay = await RunningRelay.start(site);
    await relay.verdict('up');
    await controlPlane.close();
    await relay.verdict('down');
    const options = { port: relay.port, certificate: site.certificate, applyMs: 0 };
    const good = await TestDataPlane.connect(options);
    await good.applied();
    expect(good.origin).toBe('stand-in');
    const basicInfo = { type: 'no basic_info' };
    const odd = await TestDataPlane.connect({ ...options, basicInfo, hostname: 'a\u001b[2Jb\nforged' });
    await odd.closed;
    await planted.hearHttp('relay', relay.service);
    good.kill();
    planted.hearAll('relay', await relay.stop());
    planted.expectSilence();
  });

  it('age: what seals cannot open, what opens is not heard of', async () => {
    const identity = planted.add('age identity', await generateX25519Identity());
    const age = (more: object) => configure({ encryption: { use: 'age', ...more } });
    age({ recipients: [await identityToRecipient(identity)] });
    send(1);
    expect(await run(['export', '--once'])).toBe(0);
    await controlPlane.close();
    age({ identities: [identity] });
    expect(await run(['bootstrap', '--once'])).toBe(0);
    for (const command of ['config', 'status', 'drill', 'doctor --role node']) await run(command.split(' '));
    const other = planted.add('another age identity', await generateX25519Identity());
    age({ identities: [other] });
    expect(await run(['bootstrap', '--once', '--force', '--json'])).not.toBe(0);
    age({ identities: [`${other.slice(0, -4)}AAAA`] });
    expect(await run(['bootstrap', '--once'])).toBe(2);
    planted.expectSilence();
  });
});

describe('what is broken', { timeout: 400_000 }, () => {
  beforeEach(async () => {
    configure({});
    send(1);
    expect(await run(['export', '--once'])).toBe(0);
  });

  it.each([200, 400, 403, 500])(
    'a store, a proxy, a vault and an Admin API that say back what they are told: %i',
    async (status) => {
      const echo = await startEchoServer(status);
      ends.push(() => echo.close());
      const s3 = (more: object) => ({ use: 's3', bucket: 'b', endpoint: echo.url, ...more });
      const keys = {
        accessKeyId: planted.word('access key id', true),
        secretAccessKey: planted.word('secretAccessKey'),
        sessionToken: planted.word('session token', true),
      };
      const credentials = `user:${planted.word('proxy password', true)}`;
      const env = {
        AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
        AWS_SECRET_ACCESS_KEY: planted.word('AWS_SECRET_ACCESS_KEY', true),
        AWS_SESSION_TOKEN: planted.word('AWS_SESSION_TOKEN', true),
        AWS_EC2_METADATA_DISABLED: 'true',
      };
      const vault = {
        use: 'vault-transit',
        address: echo.url,
        key: 'kong',
        auth: { token: planted.word('vault token', true) },
      };
      const admin = {
        use: 'kong-admin',
        url: echo.url,
        token: planted.word('admin token', true),
        waitSeconds: 1,
      };
      const broken = [
        { storages: [s3(keys)] },
        { storages: [s3({})] },
        { storages: [s3({ ...keys, proxy: echo.url, proxyCredentials: credentials })] },
        { encryption: [{ use: 'aes-gcm', keys: [reference('file:encryption.key')] }, vault] },
        { bootstrap: { cacheDirectory: 'cache', probeSeconds: 1, waitSeconds: 0, target: admin } },
      ];
      planted.add('proxy credentials', credentials);
      for (const over of broken) {
        configure(over);
        const both = await Promise.all([run(['export', '--once'], env), run(['status', '--json'], env)]);
        expect(both).toHaveLength(2);
        site.pointAt(1);
        configure(over);
        await run(['bootstrap', '--once', '--force'], env);
        site.pointAt(controlPlane.port);
      }
      expect(echo.asked()).toBeGreaterThan(5);
      planted.expectSilence();
    },
  );

  it('keys that are wrong, and settings that cannot be read', async () => {
    site.pointAt(1);
    const wrong = planted.add('wrong key', randomBytes(32).toString('base64'));
    const stranger = generateKeyPairSync('ed25519').privateKey.export({
      type: 'pkcs8',
      format: 'pem',
    }) as string;
    planted.addPem('stranger', stranger);
    const cases: readonly object[] = [
      { encryption: { use: 'aes-gcm', keys: [wrong] } },
      { encryption: { use: 'aes-gcm', keys: [wrong.slice(0, -6)] } },
      { encryption: { use: 'aes-gcm', key: [wrong] } },
      { encryption: { use: 'aes-gcm', keys: wrong } },
      { signing: { publicKeys: [stranger], privateKey: stranger } },
      { signing: { publicKeys: [reference('file:head.key')] } },
      { signing: { privateKey: `${stranger.slice(0, 60)}x` } },
      { controlPlane: { address: '127.0.0.1:1', certificate: stranger, key: stranger } },
      {
        storages: [
          { use: 's3', bucket: 'b', endpoint: `http://user:${planted.word('in a URL', true)}@127.0.0.1:1` },
        ],
      },
      {
        storages: [
          {
            use: 's3',
            bucket: 'b',
            proxy: `http://user:${planted.word('in a proxy URL', true)}@127.0.0.1:1`,
          },
        ],
      },
      { storages: [{ use: 'file', path: 'store', secretAccessKey: planted.word('unknown key', true) }] },
    ];
    for (const over of cases) {
      configure(over);
      for (const command of [
        'export --once',
        'bootstrap --once --force',
        'bootstrap -- true',
        'config --json',
        'status',
      ]) {
        await run(command.split(' '));
      }
    }
    const password = planted.word('a password that is no YAML', true);
    for (const text of [
      `a: [${password}`,
      `${password}: !!x {`,
      `a: *${password}`,
      `x: "${password}`,
      `\t${password}`,
      `${password}`,
    ]) {
      site.write('.kongfallbackrc', text);
      await run(['export', '--once']);
      await run(['config', '--json']);
    }
    planted.expectSilence();
  });

  it('a control plane that sends garbage with the configuration in it', async () => {
    const [document = Buffer.alloc(0)] = documents;
    const message = Buffer.concat([Buffer.from('{"type":"reconfigure","config_table":'), document]);
    const garbage = [
      document,
      gzipSync(document),
      gzipSync(message),
      gzipSync(Buffer.concat([message, Buffer.from('x}')])),
    ];
    for (const frame of garbage) {
      controlPlane.setFrame(frame);
      await run(['export', '--once']);
      await run(['export', '--once', '--json']);
    }
    planted.expectSilence();
  });

  it('a validator and a target that are told secrets of the settings and say them', async () => {
    const told = planted.word('given to a command', true);
    site.write('told', told);
    const script =
      '#!/bin/sh\ncat told encryption.key head.key cluster.key; cat encryption.key head.key >&2; base64 -w0 told; exit 3\n';
    site.write('say.sh', script);
    chmodSync(join(site.directory, 'say.sh'), 0o700);
    const command = ['./say.sh', reference('file:told')];
    configure({ validators: ['kong-schema', { use: 'command', command }] });
    send(2);
    await run(['export', '--once']);
    await run(['export', '--once', '--json']);
    site.pointAt(1);
    configure({
      bootstrap: {
        cacheDirectory: 'cache',
        probeSeconds: 1,
        waitSeconds: 0,
        target: { use: 'command', command },
      },
    });
    await run(['bootstrap', '--once', '--force']);
    await run(['bootstrap', '--once', '--force', '--json']);
    planted.expectSilence();
  });
});

it('finds what is there: each form, in each place', () => {
  const secret = planted.word('tested');
  const forms = [
    secret,
    encodeURIComponent(secret),
    Buffer.from(secret).toString('base64'),
    Buffer.from(`user:${secret}`).toString('base64'),
    Buffer.from(`u:${secret}@`).toString('base64url'),
    Buffer.from(secret).toString('hex'),
    JSON.stringify({ secret }),
    secret.slice(2, -2),
  ];
  for (const form of forms) {
    const listener = new Planted();
    listener.add('tested', secret);
    listener.hear('here', `before ${form} after`);
    expect(() => listener.expectSilence(), form).toThrow();
  }
});
