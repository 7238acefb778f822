import { strict as assert } from 'node:assert';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import type { ObjectStore } from 'kongfallback/plugin';
import { assertKind } from 'kongfallback/testing';
import { afterEach, beforeEach, describe, test, vi } from 'vitest';
import { ConnectProxy } from '../../../../s3/connect-proxy.ts';
import { CredentialsDouble } from '../../../../s3/credentials-double.ts';
import { S3Double } from '../../../../s3/double.ts';
import { closeStores, openStore, until } from './opened-stores.ts';

const { signal } = new AbortController();
const HOUR_MS = 3_600_000;
const given = (n: number, validMs = HOUR_MS) => ({
  accessKeyId: `AKID${n}`,
  secretAccessKey: `planted-secret-${n}`,
  sessionToken: `planted-token-${n}`,
  expiration: new Date(Date.now() + validMs),
});

let folder: string;
let allowed: Set<string>;
let double: S3Double;
let agent: CredentialsDouble;
let said: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kf-s3-credentials-'));
  allowed = new Set(['AKID1']);
  double = await new S3Double({ writers: allowed }).start();
  agent = await new CredentialsDouble(given(1)).start();
  said = '';
  for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    vi.spyOn(console, method).mockImplementation((...parts) => {
      said += inspect(parts);
    });
  }
  vi.spyOn(process, 'emitWarning').mockImplementation((warning) => {
    said += String(warning);
  });
  // Nothing of the machine that runs the tests: no profile, no instance.
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) vi.stubEnv(name, undefined);
  vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'config'));
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(folder, 'credentials'));
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
  vi.stubEnv('AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED', 'true');
});
afterEach(async () => {
  await closeStores();
  await double.close();
  await agent.close();
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const open = (more: Record<string, unknown> = {}) =>
  openStore({ bucket: double.bucket, endpoint: double.endpoint, ...more });

/** Who signed, as the store saw it: key id and session token. */
const signedBy = () => {
  const last = double.requests.at(-1);
  return [last?.accessKeyId, last?.headers['x-amz-security-token']];
};

const profile = (name: string, n: number) =>
  writeFileSync(
    join(folder, 'credentials'),
    `[${name}]\naws_access_key_id = AKID${n}\naws_secret_access_key = planted-secret-${n}\n`,
  );

function webIdentity(): void {
  writeFileSync(join(folder, 'token'), 'planted-web-identity-token');
  vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', join(folder, 'token'));
  vi.stubEnv('AWS_ROLE_ARN', 'arn:aws:iam::123456789012:role/the-role');
  vi.stubEnv('AWS_ENDPOINT_URL_STS', agent.url);
}

function container(): void {
  writeFileSync(join(folder, 'token'), 'planted-pod-token');
  vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', `${agent.url}/v1/credentials`);
  vi.stubEnv('AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE', join(folder, 'token'));
}

describe('credentials come from', () => {
  const sources: readonly (readonly [string, () => Record<string, unknown>, string | undefined])[] = [
    [
      'the settings',
      () => {
        vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKID9');
        vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'planted-secret-9');
        const { expiration: _, ...settings } = given(1);
        return settings;
      },
      'planted-token-1',
    ],
    [
      'the environment',
      () => {
        vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKID1');
        vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'planted-secret-1');
        vi.stubEnv('AWS_SESSION_TOKEN', 'planted-token-1');
        return {};
      },
      'planted-token-1',
    ],
    [
      'the default profile',
      () => {
        profile('default', 1);
        return {};
      },
      undefined,
    ],
    [
      'the profile that AWS_PROFILE names, although the environment has keys as well',
      () => {
        profile('backup-node', 1);
        vi.stubEnv('AWS_PROFILE', 'backup-node');
        vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKID9');
        vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'planted-secret-9');
        return {};
      },
      undefined,
    ],
    [
      'STS for a web identity (IRSA)',
      () => {
        webIdentity();
        return {};
      },
      'planted-token-1',
    ],
    [
      'the agent of a pod or container (Pod Identity, ECS)',
      () => {
        container();
        return {};
      },
      'planted-token-1',
    ],
    [
      'the instance metadata, version 2',
      () => {
        vi.stubEnv('AWS_EC2_METADATA_DISABLED', undefined);
        vi.stubEnv('AWS_EC2_METADATA_SERVICE_ENDPOINT', agent.url);
        return {};
      },
      'planted-token-1',
    ],
  ];
  for (const [name, prepare, token] of sources) {
    test(`${name}, without a word`, async () => {
      const store = await open(prepare());
      assert.equal(await store.get('a', { signal }), undefined);
      assert.deepEqual(signedBy(), ['AKID1', token]);
      assert.equal(said, '');
    });
  }

  test('a web identity sends its token to STS and nowhere else', async () => {
    webIdentity();
    await (await open()).get('a', { signal });
    assert.match(
      agent.requests[0]?.body ?? '',
      /Action=AssumeRoleWithWebIdentity.*planted-web-identity-token/,
    );
    assert.doesNotMatch(JSON.stringify(double.requests), /web-identity-token/);
  });

  test('a pod agent is shown the token of its file', async () => {
    container();
    await (await open()).get('a', { signal });
    assert.equal(agent.requests[0]?.headers.authorization, 'planted-pod-token');
  });

  test('STS through the proxy of the store; a pod agent on loopback never', async () => {
    const proxy = await new ConnectProxy({ leadsTo: () => Number(new URL(agent.url).port) }).start();
    webIdentity();
    vi.stubEnv('AWS_ENDPOINT_URL_STS', 'http://sts.fallback.test');
    vi.stubEnv('HTTP_PROXY', proxy.url);
    await (await open()).get('a', { signal });
    assert.deepEqual(proxy.asked, ['sts.fallback.test:80']);
    for (const name of ['AWS_WEB_IDENTITY_TOKEN_FILE', 'AWS_ROLE_ARN']) vi.stubEnv(name, undefined);
    container();
    await (await open()).get('a', { signal });
    assert.equal(proxy.asked.length, 1);
    await closeStores();
    await proxy.close();
  });
});

describe('credentials are renewed', () => {
  test('once for many requests while they are valid', async () => {
    container();
    const store = await open();
    await Promise.all(Array.from({ length: 10 }, () => store.get('a', { signal })));
    await store.get('a', { signal });
    assert.equal(agent.requests.length, 1);
  });

  test('before they expire', async () => {
    container();
    agent.gives = given(1, 60_000);
    const store = await open();
    await store.get('a', { signal });
    agent.gives = given(2);
    allowed.add('AKID2');
    // Still valid for a minute: that request may use the former ones, and asks for new ones beside.
    await until(async () => {
      await store.get('a', { signal });
      return signedBy()[0] === 'AKID2';
    });
    assert.deepEqual(
      double.requests.filter(({ status }) => status === 403),
      [],
    );
  });

  test('when they have expired while nothing was asked', async () => {
    container();
    agent.gives = given(1, -1_000);
    const store = await open();
    await store.get('a', { signal });
    agent.gives = given(2);
    allowed.add('AKID2');
    await store.get('a', { signal });
    assert.deepEqual(signedBy(), ['AKID2', 'planted-token-2']);
  });

  test('when the store says that they have expired although they should be valid', async () => {
    container();
    const store = await open();
    await store.get('a', { signal });
    allowed.clear();
    allowed.add('AKID2');
    agent.gives = given(2);
    const error = await assertKind(store.get('a', { signal }), 'denied', 'get');
    assert.match(error.message, /expired/);
    assert.equal(await store.get('a', { signal }), undefined);
    assert.deepEqual(signedBy(), ['AKID2', 'planted-token-2']);
  });

  test('from a credentials file that was changed', async () => {
    profile('default', 1);
    const store = await open();
    await store.get('a', { signal });
    allowed.clear();
    allowed.add('AKID2');
    profile('default', 2);
    await assertKind(store.get('a', { signal }), 'denied', 'get');
    assert.equal(await store.get('a', { signal }), undefined);
    assert.equal(signedBy()[0], 'AKID2');
  });

  test('not those of the settings, and the hint says so', async () => {
    const { expiration: _, ...settings } = given(1);
    const store = await open(settings);
    allowed.clear();
    const error = await assertKind(store.get('a', { signal }), 'denied', 'get');
    assert.match((error as { hint?: string }).hint ?? '', /session token in the settings/);
  });
});

describe('without credentials', () => {
  const failing = async (store: ObjectStore, kind: 'denied' | 'unavailable') => {
    const error = await assertKind(store.get('a', { signal }), kind, 'get');
    const { hint = '' } = error as { hint?: string };
    assert.doesNotMatch(`${error.message} ${hint} ${said}`, /planted/);
    return { message: error.message, hint };
  };

  test('anywhere: denied, with the places', async () => {
    const { hint, message } = await failing(await open(), 'denied');
    assert.match(message, /no credentials found/);
    assert.match(hint, /AWS_ACCESS_KEY_ID.*role/);
    assert.equal(double.requests.length, 0);
  });

  test('of a profile that does not exist: denied, with AWS_PROFILE', async () => {
    vi.stubEnv('AWS_PROFILE', 'missing');
    assert.match((await failing(await open(), 'denied')).hint, /AWS_PROFILE/);
  });

  test('since STS refuses the role: denied, with the role', async () => {
    webIdentity();
    agent.fault = 403;
    const { hint, message } = await failing(await open(), 'denied');
    assert.match(message, /role is refused \(403 AccessDenied\)/);
    assert.match(hint, /AWS_ROLE_ARN/);
  });

  test('since the token file is missing: denied, with the file', async () => {
    webIdentity();
    rmSync(join(folder, 'token'));
    assert.match((await failing(await open(), 'denied')).hint, /AWS_WEB_IDENTITY_TOKEN_FILE/);
  });

  test('since nobody is at STS: unavailable, and the next request asks again', async () => {
    webIdentity();
    agent.fault = 503;
    const store = await open();
    const { hint, message } = await failing(store, 'unavailable');
    assert.match(message, /whoever gives the credentials/);
    assert.match(hint, /STS/);
    agent.fault = undefined;
    assert.equal(await store.get('a', { signal }), undefined);
  });

  for (const [who, prepare] of [
    ['STS', webIdentity],
    ['a pod agent', container],
  ] as const) {
    test(`since ${who} is silent: the call ends with its signal, and the next one asks anew`, async () => {
      prepare();
      agent.fault = 'hang';
      const store = await open();
      const stop = new AbortController();
      const get = assertKind(store.get('a', { signal: stop.signal }), 'aborted', 'get');
      await until(() => agent.requests.length > 0);
      stop.abort();
      await get;
      agent.fault = undefined;
      assert.equal(await store.get('a', { signal }), undefined);
      assert.deepEqual(signedBy(), ['AKID1', 'planted-token-1']);
    });
  }
});

test('no error of a request shows what it was signed with', async () => {
  container();
  const store = await open();
  for (const [status, code] of [
    [403, 'SignatureDoesNotMatch'],
    [500, 'InternalError'],
    [400, 'InvalidRequest'],
  ] as const) {
    // As AWS does for a wrong signature.
    const details =
      '<StringToSign>planted-token-1</StringToSign><CanonicalRequest>x-amz-security-token:planted-token-1</CanonicalRequest>';
    double.faults = [{ on: 'get', act: { status, code, details } }];
    const error = await store.get('a', { signal }).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof Error);
    // With causes and their fields, as a logger might print them.
    assert.doesNotMatch(inspect(error, { depth: 10, showHidden: true }), /planted/);
  }
});
