import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import vaultTransit from '../../../../plugins/encryption/vault-transit/index.ts';
import type { Clock, KeyWrap } from '../../../../src/plugin/index.ts';
import { systemClock } from '../../../../src/resilience/index.ts';
import { pluginContext } from '../../../../src/testing/plugin-context.ts';
import { VaultDouble } from '../../../contract/encryption/vault-double.ts';
import { TestAuthority } from '../../../stand-in/certificates.ts';
import { errorOf } from '../../snapshot/sample-head.ts';

const CONTEXT = Buffer.from('kongfallback-snapshot/1\nproduction\n3.9.1\n');
const DATA_KEY = Buffer.alloc(32, 3);
const options = { signal: new AbortController().signal };
const validate = async (settings: unknown) => vaultTransit.settings['~standard'].validate(settings);

let vault: VaultDouble;
let folder: string;
beforeEach(async () => {
  vault = await VaultDouble.start();
  vault.createKey('transit', 'kong');
  folder = await mkdtemp(join(tmpdir(), 'kongfallback-vault-'));
});
afterEach(async () => {
  await vault.stop();
  await rm(folder, { recursive: true, force: true });
});

async function create(settings: object = {}, clock: Clock = systemClock): Promise<KeyWrap> {
  const given = { address: vault.address, key: 'kong', auth: { token: vault.createToken() }, ...settings };
  const checked = await validate(given);
  if (checked.issues !== undefined) throw new Error(JSON.stringify(checked.issues));
  const context = pluginContext({ baseDirectory: folder, clock });
  return (await vaultTransit.create(checked.value as never, context)) as KeyWrap;
}

const wrap = (plugin: KeyWrap) => plugin.wrap(DATA_KEY, CONTEXT, options);

const refuse =
  (status: number, errors: readonly string[], headers: Readonly<Record<string, string>> = {}) =>
  (_: unknown, response: ServerResponse) => {
    response.writeHead(status, headers).end(JSON.stringify({ errors }));
    return true;
  };

describe('vault-transit: settings', () => {
  const good = { address: 'https://vault.internal:8200', key: 'kong', auth: { token: 'hvs.planted' } };
  it.each([
    ['no address', { address: undefined }],
    ['credentials in the address', { address: 'https://user:planted@vault.internal' }],
    ['no key', { key: undefined }],
    ['a key that leaves its path', { key: '../../sys/seal' }],
    ['a mount that leaves its path', { mount: '../sys' }],
    ['no auth', { auth: undefined }],
    ['two ways of auth', { auth: { token: 'planted-token', tokenFile: 'token' } }],
    ['a token of two lines', { auth: { token: 'planted\nX-Injected: 1' } }],
    ['kubernetes without a role', { auth: { kubernetes: {} } }],
    ['an unknown setting', { keys: 'x' }],
  ])('refuses %s, without repeating a token', async (_, settings) => {
    const { issues } = await validate({ ...good, ...settings });
    expect(issues?.length).toBeGreaterThan(0);
    expect(JSON.stringify(issues)).not.toContain('planted');
  });

  it('has the usual mounts', async () => {
    expect(await validate({ ...good, auth: { kubernetes: { role: 'exporter' } } })).toMatchObject({
      value: {
        mount: 'transit',
        auth: {
          kubernetes: {
            mount: 'kubernetes',
            jwtFile: '/var/run/secrets/kubernetes.io/serviceaccount/token',
          },
        },
      },
    });
  });
});

describe('vault-transit: what Vault is told', () => {
  it('gets the digest of the context, twice, and not the context', async () => {
    const plugin = await create({ namespace: 'teams/kong' });
    const { keyId, wrapped } = await wrap(plugin);
    expect(keyId).toBe('teams/kong/transit/kong:v1');
    expect(Buffer.from(wrapped).toString()).toMatch(/^vault:v1:/);
    expect(Buffer.from(await plugin.unwrap(keyId, wrapped, CONTEXT, options))).toEqual(DATA_KEY);
    const digest = createHash('sha256').update(CONTEXT).digest();
    expect(vault.requests).toMatchObject([
      {
        path: 'transit/encrypt/kong',
        namespace: 'teams/kong',
        isMarked: true,
        body: {
          associated_data: digest.toString('base64'),
          plaintext: Buffer.concat([digest, DATA_KEY]).toString('base64'),
        },
      },
      { path: 'transit/decrypt/kong', body: { associated_data: digest.toString('base64') } },
    ]);
    expect(JSON.stringify(vault.requests)).not.toContain('production');
  });

  it('shows a rotation of the key in the key id, and opens what the former version wrapped', async () => {
    const plugin = await create();
    const former = await wrap(plugin);
    vault.rotate('transit', 'kong');
    expect((await wrap(plugin)).keyId).toBe('transit/kong:v2');
    expect(Buffer.from(await plugin.unwrap(former.keyId, former.wrapped, CONTEXT, options))).toEqual(
      DATA_KEY,
    );
    vault.minDecryptionVersion = 2;
    const error = await errorOf(() => plugin.unwrap(former.keyId, former.wrapped, CONTEXT, options));
    expect(error).toMatchObject({ kind: 'denied', hint: expect.stringContaining('min_decryption_version') });
  });

  it('is never asked about a key of another name or mount', async () => {
    const { keyId, wrapped } = await wrap(await create());
    vault.requests.length = 0;
    const plugin = await create();
    for (const other of [
      keyId.replace('kong', 'kong2'),
      keyId.replace('transit', 'transit2'),
      `${keyId}0x`,
      'kong:v1',
    ]) {
      expect(await errorOf(() => plugin.unwrap(other, wrapped, CONTEXT, options))).toMatchObject({
        kind: 'denied',
      });
    }
    expect(vault.requests).toEqual([]);
  });
});

describe('vault-transit: tokens', () => {
  it('is denied with a token that has expired, after one request', async () => {
    const plugin = await create();
    vault.tokens.clear();
    expect(await errorOf(() => wrap(plugin))).toMatchObject({
      kind: 'denied',
      hint: expect.stringContaining('policy'),
    });
    expect(vault.requests).toHaveLength(1);
  });

  it('reads the token file again when its token is refused', async () => {
    const path = join(folder, 'token');
    await writeFile(path, `${vault.createToken()}\n`);
    const plugin = await create({ auth: { tokenFile: 'token' } });
    await wrap(plugin);
    vault.tokens.clear();
    await writeFile(path, vault.createToken());
    await wrap(plugin);
    expect(vault.requests).toHaveLength(3);
    vault.tokens.clear();
    expect(await errorOf(() => wrap(plugin))).toMatchObject({ kind: 'denied' });
    expect(vault.requests).toHaveLength(4);
  });

  it.each([
    ['missing', undefined],
    ['empty', '\n'],
    ['of two lines', 'planted\nplanted'],
  ])('says which token file is %s, and not what is in it', async (_, text) => {
    if (text !== undefined) await writeFile(join(folder, 'token'), text);
    const error = await errorOf(async () => wrap(await create({ auth: { tokenFile: 'token' } })));
    expect(error).toMatchObject({ kind: 'denied', message: expect.stringContaining(join(folder, 'token')) });
    expect(inspect(error, { depth: 10 })).not.toContain('planted');
  });

  describe('from Kubernetes', () => {
    const auth = { kubernetes: { role: 'exporter', jwtFile: 'jwt' } };
    let now: number;
    const clock = {
      ...systemClock,
      now: () => now,
      monotonic: () => now,
      sleep: systemClock.sleep.bind(systemClock),
    };
    beforeEach(async () => {
      now = 0;
      vault.serviceAccounts.set('eyJ.planted.jwt', 'exporter');
      await writeFile(join(folder, 'jwt'), 'eyJ.planted.jwt');
    });
    const logins = () => vault.requests.filter(({ path }) => path === 'auth/kubernetes/login').length;

    it('logs in once, and again near the end of the lease', async () => {
      const plugin = await create({ auth }, clock);
      await wrap(plugin);
      now = 0.79 * 3_600_000;
      await wrap(plugin);
      expect(logins()).toBe(1);
      now = 0.81 * 3_600_000;
      await wrap(plugin);
      expect(logins()).toBe(2);
    });

    it('logs in once more when its token was revoked, and no third time', async () => {
      const plugin = await create({ auth }, clock);
      await wrap(plugin);
      vault.tokens.clear();
      await wrap(plugin);
      expect(logins()).toBe(2);
      vault.fault = (request, response) =>
        request.path.startsWith('auth/') ? false : refuse(403, ['permission denied'])(request, response);
      expect(await errorOf(() => wrap(plugin))).toMatchObject({ kind: 'denied' });
      expect(logins()).toBe(3);
    });

    it.each([
      [
        'a service account that is not bound',
        { role: 'exporter', jwt: 'eyJ.planted.other' },
        'denied',
        'role',
      ],
      ['another role', { role: 'reader', jwt: 'eyJ.planted.jwt' }, 'invalid', 'role'],
      ['no such method', { role: 'exporter', jwt: 'eyJ.planted.jwt', mount: 'k8s' }, 'invalid', 'mount'],
    ])('%s', async (_, { jwt, ...kubernetes }, kind, hint) => {
      await writeFile(join(folder, 'jwt'), jwt);
      const plugin = await create({ auth: { kubernetes: { ...kubernetes, jwtFile: 'jwt' } } }, clock);
      const error = await errorOf(() => wrap(plugin));
      expect(error).toMatchObject({ kind, hint: expect.stringContaining(hint) });
      expect(inspect(error, { depth: 10 })).not.toContain('planted');
    });
  });
});

describe('vault-transit: what Vault answers', () => {
  it.each([
    [400, 'invalid ciphertext: unable to decrypt', 'invalid', 'corrupt'],
    [400, 'encryption key not found', 'invalid', 'denied'],
    [400, 'associated data provided for non-AEAD key', 'invalid', 'corrupt'],
    [403, 'permission denied', 'denied', 'denied'],
    [404, 'no handler for route', 'invalid', 'invalid'],
    [307, '', 'unavailable', 'unavailable'],
    [412, 'required index state not present', 'unavailable', 'unavailable'],
    [429, 'request path "transit/encrypt/kong": rate limit quota exceeded', 'unavailable', 'unavailable'],
    [473, '', 'unavailable', 'unavailable'],
    [500, 'internal error', 'unavailable', 'unavailable'],
    [503, 'Vault is sealed', 'unavailable', 'unavailable'],
    [418, 'I am a teapot', 'invalid', 'invalid'],
  ])('%i %s: %s on sealing, %s on opening; a hint, no token', async (status, text, onWrap, onUnwrap) => {
    const token = 'hvs.planted-token';
    vault.tokens.add(token);
    const plugin = await create({ auth: { token } });
    const { keyId, wrapped } = await wrap(plugin);
    // Somebody in between might repeat what it was sent.
    vault.fault = refuse(status, [`${text} ${token}`]);
    const errors = [
      await errorOf(() => wrap(plugin)),
      await errorOf(() => plugin.unwrap(keyId, wrapped, CONTEXT, options)),
    ];
    expect(errors.map((error) => error.kind)).toEqual([onWrap, onUnwrap]);
    for (const error of errors) {
      expect(error.message).toContain(`${status}`);
      expect(error.message).toContain(vault.address);
      expect(error.hint?.length).toBeGreaterThan(10);
      expect(inspect(error, { depth: 10 })).not.toMatch(/planted/);
    }
  });

  it('is sealed: says so, and when to come again', async () => {
    const plugin = await create();
    vault.isSealed = true;
    expect(await errorOf(() => wrap(plugin))).toMatchObject({
      kind: 'unavailable',
      hint: expect.stringContaining('unseal'),
      retryAfterMs: 1000,
    });
    vault.fault = refuse(429, ['quota'], { 'retry-after': '7' });
    expect(await errorOf(() => wrap(plugin))).toMatchObject({ retryAfterMs: 7000 });
  });

  it.each([
    ['no JSON', 'planted <html>'],
    ['an array', '[]'],
    ['no ciphertext', '{"data":{}}'],
    ['an odd ciphertext', '{"data":{"ciphertext":"vault:v0:AAAA"}}'],
    ['more than it may have', ' '.repeat(200_000)],
  ])('is no Vault: %s', async (_, body) => {
    const plugin = await create();
    vault.fault = (__, response) => {
      response.writeHead(200).end(body);
      return true;
    };
    expect(await errorOf(() => wrap(plugin))).toMatchObject({ kind: 'unavailable' });
  });

  it('is unavailable where nobody listens, and where nobody answers in time; ends with the signal', async () => {
    const nobody = await create({ address: 'http://127.0.0.1:1' });
    expect(await errorOf(() => wrap(nobody))).toMatchObject({ kind: 'unavailable' });
    vault.fault = () => true;
    const silent = await create({ requestTimeoutSeconds: 0.05 });
    expect(await errorOf(() => wrap(silent))).toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('50 ms'),
    });
    const stop = new AbortController();
    vault.fault = () => {
      stop.abort();
      return true;
    };
    const plugin = await create();
    const error = await errorOf(() => plugin.wrap(DATA_KEY, CONTEXT, { signal: stop.signal }));
    expect(error).toMatchObject({ kind: 'aborted' });
    expect(await errorOf(() => plugin.wrap(DATA_KEY, CONTEXT, { signal: stop.signal }))).toMatchObject({
      kind: 'aborted',
    });
  });
});

describe('vault-transit: TLS', () => {
  const authority = new TestAuthority('vault-ca');
  const { certificate: cert, key } = authority.leaf({ names: ['127.0.0.1'] });
  let secure: VaultDouble;
  beforeEach(async () => {
    secure = await VaultDouble.start({ tls: { cert, key } });
    secure.createKey('transit', 'kong');
    await writeFile(join(folder, 'ca.crt'), authority.certificate);
  });
  afterEach(() => secure.stop());

  it('trusts the CA of the settings, and nobody without it', async () => {
    const auth = { token: secure.createToken() };
    const stranger = await create({ address: secure.address, auth });
    expect(await errorOf(() => wrap(stranger))).toMatchObject({
      kind: 'denied',
      hint: expect.stringContaining('caFile'),
    });
    expect(secure.requests).toEqual([]);
    await wrap(await create({ address: secure.address, auth, caFile: 'ca.crt' }));
  });

  it('says which CA file it cannot use', async () => {
    await writeFile(join(folder, 'empty.crt'), '');
    for (const caFile of ['missing.crt', 'empty.crt']) {
      expect(await errorOf(() => create({ caFile }))).toMatchObject({
        kind: 'invalid',
        message: expect.stringContaining(caFile),
      });
    }
  });
});
