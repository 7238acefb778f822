import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import awsKms from '../../../../plugins/encryption/aws-kms/index.ts';
import type { KeyWrap } from '../../../../src/plugin/index.ts';
import { pluginContext } from '../../../../src/testing/plugin-context.ts';
import { KmsDouble } from '../../../contract/encryption/kms-double.ts';
import { errorOf } from '../../snapshot/sample-head.ts';

const CONTEXT = Buffer.from('kongfallback-snapshot/1\nproduction\n3.9.1\n');
const DATA_KEY = Buffer.alloc(32, 3);
const SECRET = 'planted-secret-access-key';
const TOKEN = 'planted-session-token';
const options = { signal: new AbortController().signal };
const validate = async (settings: unknown) => awsKms.settings['~standard'].validate(settings);

let kms: KmsDouble;
beforeEach(async () => {
  kms = await KmsDouble.start();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await kms.stop();
});

async function create(settings: object, over: Parameters<typeof pluginContext>[0] = {}): Promise<KeyWrap> {
  const given = {
    endpoint: kms.endpoint,
    region: 'eu-west-1',
    accessKeyId: 'planted-id',
    secretAccessKey: SECRET,
    sessionToken: TOKEN,
    ...settings,
  };
  const checked = await validate(given);
  if (checked.issues !== undefined) throw new Error(JSON.stringify(checked.issues));
  return (await awsKms.create(checked.value as never, pluginContext(over))) as KeyWrap;
}

const refuse = (status: number, type: string) => (_: unknown, response: ServerResponse) => {
  response
    .writeHead(status, { 'content-type': 'application/x-amz-json-1.1' })
    .end(JSON.stringify({ __type: type, message: `words of KMS about ${type}` }));
  return true;
};

describe('aws-kms: settings', () => {
  it.each([
    ['no key', {}],
    ['an empty key', { keyId: '' }],
    ['a key with spaces', { keyId: 'alias/my key' }],
    ['one half of the credentials', { keyId: 'alias/a', accessKeyId: 'x' }],
    ['credentials in the endpoint', { keyId: 'alias/a', endpoint: 'https://user:pass@kms.internal' }],
    ['a time-out of nothing', { keyId: 'alias/a', requestTimeoutSeconds: 0 }],
    ['an unknown setting', { keyId: 'alias/a', key: 'x' }],
  ])('refuses %s', async (_, settings) => {
    expect((await validate(settings)).issues?.length).toBeGreaterThan(0);
  });

  it('marks the credentials as secret', () => {
    const schema = awsKms.settings['~standard'].jsonSchema?.input({ target: 'draft-2020-12' });
    expect(schema).toMatchObject({
      properties: { secretAccessKey: { secret: true }, sessionToken: { secret: true } },
    });
  });

  it('says what to set without a region, and takes it from an ARN and from AWS_DEFAULT_REGION', async () => {
    vi.stubEnv('AWS_CONFIG_FILE', '/does/not/exist');
    for (const name of ['AWS_REGION', 'AWS_DEFAULT_REGION', 'AWS_ENDPOINT_URL']) vi.stubEnv(name, '');
    const bare = { region: undefined, endpoint: undefined };
    expect(await errorOf(() => create({ ...bare, keyId: 'alias/a' }))).toMatchObject({
      kind: 'invalid',
      hint: expect.stringContaining('region'),
    });
    await create({ ...bare, keyId: 'arn:aws:kms:eu-west-1:111122223333:key/a' });
    vi.stubEnv('AWS_DEFAULT_REGION', 'eu-west-3');
    await create({ ...bare, keyId: 'alias/a' });
  });

  it('says which CA file it cannot use', async () => {
    const error = await errorOf(() => create({ keyId: 'alias/a', caFile: 'package.json' }));
    expect(error).toMatchObject({
      kind: 'invalid',
      message: expect.stringMatching(/package\.json.*no certificate/),
    });
  });
});

describe('aws-kms: what KMS is told', () => {
  it('is asked once, with the digest of the context and not with the context, which it would log', async () => {
    const key = kms.createKey();
    kms.alias('alias/kong', key);
    const plugin = await create({ keyId: 'alias/kong' });
    const { keyId, wrapped } = await plugin.wrap(DATA_KEY, CONTEXT, options);
    expect(keyId).toBe(key.arn);
    expect(Buffer.from(await plugin.unwrap(keyId, wrapped, CONTEXT, options))).toEqual(DATA_KEY);
    const EncryptionContext = {
      'kongfallback:context-sha256': createHash('sha256').update(CONTEXT).digest('hex'),
    };
    expect(kms.requests.map(({ target, body }) => ({ target, body }))).toMatchObject([
      { target: 'TrentService.Encrypt', body: { KeyId: 'alias/kong', EncryptionContext } },
      { target: 'TrentService.Decrypt', body: { KeyId: 'alias/kong', EncryptionContext } },
    ]);
    expect(JSON.stringify(kms.requests)).not.toContain('production');
  });

  it('is never asked with a key that only the snapshot names', async () => {
    const [own, other] = [kms.createKey(), kms.createKey()];
    const { wrapped } = await (await create({ keyId: other.arn })).wrap(DATA_KEY, CONTEXT, options);
    kms.requests.length = 0;
    const error = await errorOf(async () =>
      (await create({ keyId: own.arn })).unwrap(other.arn, wrapped, CONTEXT, options),
    );
    expect(error).toMatchObject({ kind: 'denied', hint: expect.stringContaining('formerKeyIds') });
    expect(error.message).toContain(other.arn);
    expect(error.message).toContain(own.arn);
    expect(kms.requests).toEqual([]);
  });

  it('opens after the alias was moved only with the former key in the settings', async () => {
    const [former, present] = [kms.createKey(), kms.createKey()];
    kms.alias('alias/kong', former);
    const { keyId, wrapped } = await (await create({ keyId: 'alias/kong' })).wrap(DATA_KEY, CONTEXT, options);
    kms.alias('alias/kong', present);
    const alone = await create({ keyId: 'alias/kong' });
    expect(await errorOf(() => alone.unwrap(keyId, wrapped, CONTEXT, options))).toMatchObject({
      kind: 'denied',
    });
    const both = await create({ keyId: 'alias/kong', formerKeyIds: [former.arn] });
    expect(Buffer.from(await both.unwrap(keyId, wrapped, CONTEXT, options))).toEqual(DATA_KEY);
  });

  it('opens with the replica of a multi-Region key, and with no other key of that id', async () => {
    const material = Buffer.alloc(32, 5);
    const id = 'mrk-1234abcd12ab34cd56ef1234567890ab';
    const west = kms.createKey({ region: 'eu-west-1', id, material });
    const { keyId, wrapped } = await (await create({ keyId: west.arn })).wrap(DATA_KEY, CONTEXT, options);
    const east = west.arn.replace('eu-west-1', 'us-east-1');
    kms.createKey({ region: 'us-east-1', id, material });
    const replica = await create({ keyId: east, region: 'us-east-1' });
    expect(Buffer.from(await replica.unwrap(keyId, wrapped, CONTEXT, options))).toEqual(DATA_KEY);
    const foreign = keyId.replace('111122223333', '999999999999');
    expect(await errorOf(() => replica.unwrap(foreign, wrapped, CONTEXT, options))).toMatchObject({
      kind: 'denied',
    });
  });
});

describe('aws-kms: what KMS answers', () => {
  it.each([
    [400, 'AccessDeniedException', 'denied', 'denied'],
    [400, 'ExpiredTokenException', 'denied', 'denied'],
    [400, 'UnrecognizedClientException', 'denied', 'denied'],
    [403, 'SomethingNew', 'denied', 'denied'],
    [400, 'InvalidCiphertextException', 'corrupt', 'corrupt'],
    [400, 'IncorrectKeyException', 'corrupt', 'corrupt'],
    [400, 'NotFoundException', 'invalid', 'denied'],
    [400, 'DisabledException', 'denied', 'denied'],
    [400, 'KMSInvalidStateException', 'denied', 'denied'],
    [400, 'InvalidKeyUsageException', 'invalid', 'invalid'],
    [400, 'ThrottlingException', 'unavailable', 'unavailable'],
    [500, 'KeyUnavailableException', 'unavailable', 'unavailable'],
    [500, 'DependencyTimeoutException', 'unavailable', 'unavailable'],
    [500, 'KMSInternalException', 'unavailable', 'unavailable'],
    [503, 'SomethingNew', 'unavailable', 'unavailable'],
    [400, 'SomethingNew', 'invalid', 'invalid'],
  ])(
    '%i %s: %s on sealing, %s on opening; asked once; a hint, no secret',
    async (status, type, onWrap, onUnwrap) => {
      const key = kms.createKey();
      const plugin = await create({ keyId: key.arn });
      const { wrapped } = await plugin.wrap(DATA_KEY, CONTEXT, options);
      kms.requests.length = 0;
      kms.fault = refuse(status, type);
      const errors = [
        await errorOf(() => plugin.wrap(DATA_KEY, CONTEXT, options)),
        await errorOf(() => plugin.unwrap(key.arn, wrapped, CONTEXT, options)),
      ];
      expect(errors.map((error) => error.kind)).toEqual([onWrap, onUnwrap]);
      expect(kms.requests).toHaveLength(2);
      for (const error of errors) {
        expect(error.message).toContain(key.arn);
        expect(error.message).toContain(type);
        expect(error.hint?.length).toBeGreaterThan(20);
        expect(inspect(error, { depth: 10 })).not.toMatch(/planted/);
      }
    },
  );

  it('says when to come again after throttling', async () => {
    const plugin = await create({ keyId: kms.createKey().arn });
    kms.fault = refuse(400, 'ThrottlingException');
    expect(await errorOf(() => plugin.wrap(DATA_KEY, CONTEXT, options))).toMatchObject({
      retryAfterMs: 1000,
    });
  });

  it('is unavailable where nobody listens, and where nobody answers in time', async () => {
    const key = kms.createKey();
    const nobody = await create({ keyId: key.arn, endpoint: 'http://127.0.0.1:1' });
    expect(await errorOf(() => nobody.wrap(DATA_KEY, CONTEXT, options))).toMatchObject({
      kind: 'unavailable',
    });
    kms.fault = () => true;
    const silent = await create({ keyId: key.arn, requestTimeoutSeconds: 0.05 });
    expect(await errorOf(() => silent.wrap(DATA_KEY, CONTEXT, options))).toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('no answer in time'),
    });
  });

  it('ends with the signal while KMS is silent', async () => {
    const plugin = await create({ keyId: kms.createKey().arn });
    const stop = new AbortController();
    kms.fault = () => {
      stop.abort();
      return true;
    };
    expect(await errorOf(() => plugin.wrap(DATA_KEY, CONTEXT, { signal: stop.signal }))).toMatchObject({
      kind: 'aborted',
    });
  });

  it('is no KMS: an answer without a key', async () => {
    const plugin = await create({ keyId: kms.createKey().arn });
    kms.fault = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      return true;
    };
    expect(await errorOf(() => plugin.wrap(DATA_KEY, CONTEXT, options))).toMatchObject({
      kind: 'unavailable',
    });
  });

  it('has no credentials', async () => {
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE']) vi.stubEnv(name, '');
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
    vi.stubEnv('AWS_CONFIG_FILE', '/does/not/exist');
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/does/not/exist');
    const none = { accessKeyId: undefined, secretAccessKey: undefined, sessionToken: undefined };
    const plugin = await create({ keyId: kms.createKey().arn, ...none });
    expect(await errorOf(() => plugin.wrap(DATA_KEY, CONTEXT, options))).toMatchObject({
      kind: 'denied',
      hint: expect.stringContaining('AWS_ACCESS_KEY_ID'),
    });
    // Looked for anew: a role that was given meanwhile is taken up.
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'given-meanwhile');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'given-meanwhile');
    await plugin.wrap(DATA_KEY, CONTEXT, options);
  });

  it('needs a package that may be missing', async () => {
    const missing = Object.assign(new Error('needs the package @aws-sdk/client-kms'), { kind: 'invalid' });
    const error = await errorOf(() =>
      create({ keyId: 'alias/a' }, { import: () => Promise.reject(missing) }),
    );
    expect(error).toBe(missing);
  });
});
