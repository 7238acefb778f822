import { strict as assert } from 'node:assert';
import type { ObjectStore } from 'kongfallback/plugin';
import { assertKind, drain, pattern, pluginContext } from 'kongfallback/testing';
import { afterEach, beforeEach, describe, test } from 'vitest';
import s3 from '../../../../../plugins/storage/s3/index.ts';
import { settings } from '../../../../../plugins/storage/s3/settings.ts';
import { READER, S3Double, type S3DoubleOptions, type S3Fault, WRITER } from '../../../../s3/double.ts';

const signal = new AbortController().signal;
const text = (value: string) => new TextEncoder().encode(value);

let double: S3Double;
let opened: ObjectStore[] = [];

beforeEach(async () => {
  double = await new S3Double().start();
});
afterEach(async () => {
  for (const store of opened) await store.close?.();
  opened = [];
  await double.close();
});

async function open(more: Record<string, unknown> = {}): Promise<ObjectStore> {
  const { bucket, endpoint } = double;
  const store = await s3.create(settings.parse({ bucket, endpoint, ...WRITER, ...more }), pluginContext());
  opened.push(store);
  return store;
}

async function restart(options: S3DoubleOptions): Promise<void> {
  await double.close();
  double = await new S3Double(options).start();
}

async function fetched(store: ObjectStore, key: string) {
  const found = await store.get(key, { signal });
  assert.ok(found !== undefined && found !== 'not-modified');
  return found;
}

const list = async (store: ObjectStore) => {
  for await (const _ of store.list('', { signal }));
};

describe('answers', () => {
  const answers: readonly (readonly [number, string, string, RegExp])[] = [
    [403, 'AccessDenied', 'denied', /s3:ListBucket/],
    [403, 'ExpiredToken', 'denied', /Renew/],
    [403, 'SignatureDoesNotMatch', 'denied', /secretAccessKey/],
    [400, 'ExpiredToken', 'denied', /Renew/],
    [301, 'PermanentRedirect', 'denied', /region/],
    [400, 'AuthorizationHeaderMalformed', 'denied', /region/],
    [404, 'NoSuchBucket', 'denied', /Create kong-fallback/],
    [409, 'ConditionalRequestConflict', 'unavailable', /no other tool/],
    [400, 'RequestTimeout', 'unavailable', /reachable/],
    [429, 'SlowDown', 'unavailable', /writeIntervalSeconds/],
    [500, 'InternalError', 'unavailable', /health/],
    [503, 'SlowDown', 'unavailable', /health/],
    [412, 'PreconditionFailed', 'conflict', /faster/],
    [501, 'NotImplemented', 'unsupported', /S3 server/],
    [413, 'EntityTooLarge', 'unsupported', /limit/],
    [400, 'InvalidRequest', 'unsupported', /when-required/],
  ];
  for (const [status, code, kind, hint] of answers) {
    test(`${status} ${code}: ${kind}, one attempt, with a hint`, async () => {
      double.faults = [{ on: 'put', act: { status, code } }];
      const store = await open();
      const put = store.put('a', text('x'), { ifAbsent: true, signal });
      const error = (await assertKind(put, kind as 'denied', 'put')) as Error & { hint?: string };
      assert.match(error.hint ?? '', hint);
      assert.match(error.message, /^bucket kong-fallback: /);
      assert.equal(double.count('put'), 1, 'the core decides about further attempts');
      assert.doesNotMatch(JSON.stringify([error.message, error.hint]), /writer-secret/);
    });
  }

  test('503 with Retry-After: not before that time; a date or nonsense there is ignored', async () => {
    const store = await open();
    for (const [header, expected] of [
      ['7', 7_000],
      ['Wed, 21 Oct 2026 07:28:00 GMT', undefined],
      ['99999999999', undefined],
    ] as const) {
      double.faults = [
        { on: 'get', act: { status: 503, code: 'SlowDown', headers: { 'retry-after': header } } },
      ];
      const error = await assertKind(store.get('a', { signal }), 'unavailable', 'get');
      assert.equal((error as { retryAfterMs?: number }).retryAfterMs, expected);
    }
  });

  test('404 without NoSuchKey is some other server, not a missing object', async () => {
    double.faults = [{ on: 'get', act: { status: 404, code: 'NotThisPath' } }];
    await assertKind((await open()).get('a', { signal }), 'denied', 'get');
  });

  test('If-Match on a key that is gone: conflict', async () => {
    const put = (await open()).put('a', text('x'), { ifMatch: '"gone"', signal });
    await assertKind(put, 'conflict', 'put');
  });

  for (const act of [{ xml200: 'InternalError' }, { html200: true }] as const) {
    test(`200 with ${'xml200' in act ? 'an error document' : 'a web page'} inside: unavailable`, async () => {
      double.faults = [
        { on: 'put', act },
        { on: 'list', act },
      ];
      const store = await open();
      await assertKind(store.put('a', text('x'), { signal }), 'unavailable', 'put');
      await assertKind(list(store), 'unavailable', 'list');
    });
  }

  test('an answer that is lost after the effect: unavailable, and one attempt only', async () => {
    double.faults = [{ on: 'put', times: 1, when: 'after-effect', act: { reset: true } }];
    const store = await open();
    await assertKind(store.put('a', text('x'), { ifAbsent: true, signal }), 'unavailable', 'put');
    assert.equal(double.count('put'), 1);
    assert.equal(Buffer.from(await drain((await fetched(store, 'a')).body)).toString(), 'x');
    await assertKind(store.put('a', text('x'), { ifAbsent: true, signal }), 'conflict', 'put again');
  });
});

describe('bodies', () => {
  const cut = (bodyBytes: number, then: 'cut' | 'stall'): S3Fault => ({
    on: 'get',
    act: { bodyBytes, then },
  });

  for (const bytes of [0, 1, 70_000]) {
    test(`cut after ${bytes} bytes: unavailable`, async () => {
      const store = await open();
      await store.put('a', pattern(200_000), { signal });
      double.faults = [cut(bytes, 'cut')];
      await assertKind(async () => drain((await fetched(store, 'a')).body), 'unavailable', 'body');
    });
  }

  test('silent for longer than idleTimeoutSeconds: unavailable', async () => {
    const store = await open({ idleTimeoutSeconds: 0.2 });
    await store.put('a', pattern(200_000), { signal });
    double.faults = [cut(1000, 'stall')];
    await assertKind(async () => drain((await fetched(store, 'a')).body), 'unavailable', 'body');
  });

  test('stopped half-way: aborted, and the connection is freed', async () => {
    const store = await open();
    await store.put('a', pattern(200_000), { signal });
    double.faults = [cut(1000, 'stall')];
    const stop = new AbortController();
    const found = await store.get('a', { signal: stop.signal });
    assert.ok(found !== undefined && found !== 'not-modified');
    const reading = assertKind(drain(found.body), 'aborted', 'body');
    stop.abort();
    await reading;
    await noConnections();
  });

  test('never read and stopped: the connection is freed', async () => {
    const store = await open();
    await store.put('a', pattern(8 * 2 ** 20), { signal });
    const stop = new AbortController();
    await store.get('a', { signal: stop.signal });
    stop.abort();
    await noConnections();
  });

  /** Kept-alive idle connections are closed with the store. */
  async function noConnections(): Promise<void> {
    for (const store of opened) await store.close?.();
    while ((await double.connections()) > 0) await new Promise<void>((done) => setImmediate(done));
  }
});

describe('requests', () => {
  test('that are not answered within requestTimeoutSeconds: unavailable', async () => {
    double.faults = [{ on: 'get', act: { hang: true } }];
    await assertKind((await open({ requestTimeoutSeconds: 0.2 })).get('a', { signal }), 'unavailable', 'get');
  });

  test('that are stopped while unanswered: aborted', async () => {
    double.faults = [{ on: 'get', act: { hang: true } }];
    const stop = new AbortController();
    const get = (await open()).get('a', { signal: stop.signal });
    get.catch(() => {});
    while (double.requests.length === 0) await new Promise<void>((done) => setImmediate(done));
    stop.abort();
    await assertKind(get, 'aborted', 'get');
  });

  test('of a reader with s3:GetObject only: an object comes, a missing one is denied', async () => {
    await (await open()).put('there', text('x'), { signal });
    const reader = await open(READER);
    assert.equal(Buffer.from(await drain((await fetched(reader, 'there')).body)).toString(), 'x');
    const error = await assertKind(reader.get('missing', { signal }), 'denied', 'get');
    assert.match((error as { hint?: string }).hint ?? '', /also not be there/);
    await assertKind(list(reader), 'denied', 'list');
  });

  test("carry the server's time, by its own clock", async () => {
    await restart({ clockOffsetMs: 600_000 });
    const store = await open();
    const { serverTime } = await store.put('a', text('x'), { signal });
    const found = await fetched(store, 'a');
    await drain(found.body);
    for (const time of [serverTime, found.serverTime]) {
      assert.ok(time !== undefined && Math.abs(time.getTime() - Date.now() - 600_000) < 60_000, String(time));
    }
  });

  test('from a machine whose clock is 20 minutes off: refused once, then right by what was learnt', async () => {
    await restart({ clockOffsetMs: 20 * 60_000 });
    const store = await open();
    const error = await assertKind(store.put('a', text('x'), { signal }), 'unavailable', 'put');
    assert.match(error.message, /clock/);
    await store.put('a', text('x'), { signal });
    assert.equal(Buffer.from(await drain((await fetched(store, 'a')).body)).toString(), 'x');
  });

  test('are without a checksum header when the server does not know it', async () => {
    const checksum = () =>
      Object.keys(double.requests.at(-1)?.headers ?? {}).filter((name) => /crc32/.test(name));
    await (await open()).put('a', text('x'), { signal });
    assert.deepEqual(checksum(), ['x-amz-checksum-crc32']);
    await (await open({ checksums: 'when-required' })).put('a', text('x'), { signal });
    assert.deepEqual(checksum(), []);
  });

  test('ask for encryption at rest where it is set', async () => {
    await (await open({ serverSideEncryption: 'aws:kms', kmsKeyId: 'alias/kong' })).put('a', text('x'), {
      signal,
    });
    const { headers } = double.requests.at(-1) ?? {};
    assert.equal(headers?.['x-amz-server-side-encryption'], 'aws:kms');
    assert.equal(headers?.['x-amz-server-side-encryption-aws-kms-key-id'], 'alias/kong');
  });
});

describe('settings', () => {
  const environment = { ...process.env };
  afterEach(() => {
    for (const name of [
      'AWS_REGION',
      'AWS_DEFAULT_REGION',
      'AWS_CONFIG_FILE',
      'AWS_SHARED_CREDENTIALS_FILE',
    ]) {
      if (environment[name] === undefined) delete process.env[name];
      else process.env[name] = environment[name];
    }
  });

  const region = async (more: Record<string, unknown>) => {
    const store = await open(more);
    await store.get('a', { signal }).catch(() => {});
    return /Credential=[^/]+\/\d+\/([^/]+)\//.exec(
      String(double.requests.at(-1)?.headers['authorization']),
    )?.[1];
  };

  test('region: the setting, AWS_REGION, AWS_DEFAULT_REGION, us-east-1 with an endpoint', async () => {
    delete process.env['AWS_REGION'];
    delete process.env['AWS_DEFAULT_REGION'];
    assert.equal(await region({}), 'us-east-1');
    process.env['AWS_DEFAULT_REGION'] = 'eu-central-1';
    assert.equal(await region({}), 'eu-central-1');
    process.env['AWS_REGION'] = 'eu-west-1';
    assert.equal(await region({}), 'eu-west-1');
    assert.equal(await region({ region: 'ap-south-1' }), 'ap-south-1');
  });

  test('no region at all: invalid, with what to set', async () => {
    for (const name of ['AWS_REGION', 'AWS_DEFAULT_REGION']) delete process.env[name];
    process.env['AWS_CONFIG_FILE'] = process.env['AWS_SHARED_CREDENTIALS_FILE'] = '/nonexistent';
    const make = async () => s3.create(settings.parse({ bucket: 'b', ...WRITER }), pluginContext());
    const error = await assertKind(make, 'invalid', 'create');
    assert.match((error as { hint?: string }).hint ?? '', /AWS_REGION/);
  });

  for (const wrong of [
    {},
    { bucket: '' },
    { bucket: 'b', accessKeyId: 'only' },
    { bucket: 'b', secretAccessKey: 'only' },
    { bucket: 'b', endpoint: 'not a url' },
    { bucket: 'b', unknown: 1 },
    { bucket: 'b', requestTimeoutSeconds: 0 },
  ]) {
    test(`${JSON.stringify(wrong)} is refused`, () => assert.equal(settings.safeParse(wrong).success, false));
  }

  test('secrets are marked in the JSON Schema', () => {
    const schema = settings['~standard'].jsonSchema.input({ target: 'draft-2020-12' }) as {
      properties: Record<string, { secret?: boolean }>;
    };
    const marked = Object.entries(schema.properties).filter(([, property]) => property.secret === true);
    assert.deepEqual(
      marked.map(([name]) => name),
      ['secretAccessKey', 'sessionToken', 'proxyCredentials'],
    );
  });
});
