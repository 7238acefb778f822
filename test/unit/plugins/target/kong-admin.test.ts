import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import kongAdmin from '../../../../plugins/target/kong-admin/index.ts';
import { refusalText } from '../../../../plugins/target/kong-admin/refusal.ts';
import type { Clock, RestoredDocument, Target } from '../../../../src/plugin/index.ts';
import { systemClock } from '../../../../src/resilience/index.ts';
import { FakeClock } from '../../../../src/testing/fake-clock.ts';
import { pluginContext } from '../../../../src/testing/plugin-context.ts';
import { AdminDouble } from './admin-double.ts';

const SIGNAL = new AbortController().signal;
const DOCUMENT = Buffer.from(JSON.stringify({ _format_version: '3.0', services: [{ name: 'a' }] }));

let node: AdminDouble;
beforeEach(async () => {
  node = await new AdminDouble().listen();
});
afterEach(() => node.close());

const restored = (
  body: RestoredDocument['body'] = [DOCUMENT.subarray(0, 10), DOCUMENT.subarray(10)],
  length = DOCUMENT.length,
): RestoredDocument => ({
  body,
  length,
  sha256: createHash('sha256').update(DOCUMENT).digest('hex'),
  gatewayVersion: '3.9.3',
  configHash: null,
});

async function target(settings: object = {}, clock: Clock = systemClock): Promise<Target> {
  const checked = await kongAdmin.settings['~standard'].validate({ url: node.url, ...settings });
  if (checked.issues !== undefined) throw new Error(checked.issues[0]?.message);
  return (await kongAdmin.create(checked.value as never, pluginContext({ clock }))) as Target;
}

/** Until it is settled: what is under way gets many turns of the event loop for each little time. */
async function passing<T>(clock: FakeClock, work: Promise<T>): Promise<T> {
  let settled = false;
  const over = () => {
    settled = true;
  };
  work.then(over, over);
  while (!settled) {
    for (let turn = 0; turn < 10; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
    await clock.advance(20);
  }
  return work;
}

async function failure(
  settings: object = {},
  document = restored(),
  clock?: FakeClock,
): Promise<Record<string, unknown>> {
  const applying = (await target(settings, clock)).apply(document, { signal: SIGNAL });
  return (clock === undefined ? applying : passing(clock, applying)).then(
    (applied) => {
      throw new Error(`was applied: ${applied.where}`);
    },
    (error: Error & Record<string, unknown>) => ({ ...error, message: error.message }),
  );
}

describe('a node that does not take it', () => {
  it.each<[number, string, string, RegExp, RegExp]>([
    [
      400,
      '{"code":14,"message":"declarative config is invalid: {}"}',
      'unsupported',
      /refused/,
      /older snapshot/,
    ],
    [
      400,
      '{"message":"this endpoint is only available when Kong is configured to not use a database"}',
      'invalid',
      /database/,
      /DB-less/,
    ],
    [401, '{}', 'denied', /401/, /token/],
    [403, '{}', 'denied', /403/, /token/],
    [404, '{}', 'invalid', /404/, /admin_listen/],
    [413, '{"message":"map full"}', 'invalid', /LMDB/, /lmdb_map_size/],
    [413, '<html>too large</html>', 'invalid', /limit for bodies/, /nginx_admin_client_max_body_size/],
    [500, 'oops', 'unavailable', /500/, /error log/],
    [503, '{"message":"exiting"}', 'unavailable', /503/, /error log/],
  ])('%i %s', async (status, body, kind, message, hint) => {
    node.answer = [status, body];
    const error = await failure();
    expect(error).toMatchObject({ kind });
    expect(error['message']).toMatch(message);
    expect(error['hint']).toMatch(hint);
  });

  it.each([
    ['4', 4000],
    ['100000', 60_000],
    ['soon', 10_000],
    [undefined, 10_000],
  ])('429 with Retry-After %s', async (value, retryAfterMs) => {
    node.answer = [429, '{}', value === undefined ? {} : { 'retry-after': value }];
    expect(await failure()).toMatchObject({ kind: 'unavailable', retryAfterMs });
  });

  it('is not sent a body above its limit, and says what to raise', async () => {
    node.maxBodyBytes = 20;
    let read = 0;
    const body = (function* () {
      read++;
      yield DOCUMENT;
    })();
    const error = await failure({}, restored(body));
    expect(error).toMatchObject({ kind: 'invalid' });
    expect(error['hint']).toMatch(/BODY_SIZE/);
    expect([read, node.loads.length]).toEqual([0, 0]);
  });

  it('says what is wrong by entity, and no value of it', async () => {
    const secret = 'the-key-of-a-consumer';
    const entities = Array.from({ length: 9 }, (_, n) => ({
      entity_type: 'keyauth_credential',
      entity_id: `id-${n}`,
      entity: { key: secret, consumer: 'x' },
      errors: [
        {
          type: 'field',
          field: 'key',
          message: `uniqueness violation: key set to '${secret}' already declared`,
        },
        { type: 'field', field: 'ttl', message: `not a number: ${secret}` },
        { type: 'entity', message: 'e'.repeat(9000) },
        { type: 'entity', message: 'fourth' },
      ],
    }));
    const message = `declarative config is invalid: {key="${secret}"}`;
    node.answer = [400, JSON.stringify({ code: 14, message, flattened_errors: entities })];
    const error = await failure();
    const text = `${error['message']} ${error['hint']}`;
    expect(text).toContain('keyauth_credential id-0: key: uniqueness violation');
    expect(text).toContain('and 4 more');
    expect(text).not.toContain(secret);
    expect(text.length).toBeLessThan(4000);
  });

  it.each([
    ['no JSON', '<html>'],
    ['nothing', ''],
    ['null', 'null'],
    ['odd entries', '{"flattened_errors":[null,{"errors":7},{"entity_type":{},"errors":[null]}]}'],
    ['deep entities', `{"flattened_errors":[{"entity":${'['.repeat(900)}${']'.repeat(900)},"errors":[]}]}`],
  ])('an answer of %s is bounded as well', (_, body) => {
    const text = refusalText(body);
    expect(text.length).toBeGreaterThan(0);
    expect(text.length).toBeLessThan(1000);
  });

  it('hides what a message without entities quotes', () => {
    const text = refusalText(
      JSON.stringify({ message: "entity with key set to 'hunter22' already declared" }),
    );
    expect(text).toContain('already declared');
    expect(text).not.toContain('hunter22');
  });

  it('has got nothing when the stream breaks', async () => {
    const broken = Object.assign(new Error('damaged'), { kind: 'corrupt', code: 'KF_SNAPSHOT_CORRUPT' });
    async function* body() {
      yield DOCUMENT.subarray(0, 10);
      throw broken;
    }
    expect(await failure({}, restored(body()))).toMatchObject({
      kind: 'corrupt',
      code: 'KF_SNAPSHOT_CORRUPT',
    });
    expect(node.loads).toEqual([]);
  });

  it('took it and has the hash of no configuration', async () => {
    node.answer = [201, '{}'];
    const error = await failure({}, restored(), new FakeClock());
    expect(error['message']).toMatch(/does not use it after 10 s.*hash/);
  });
});

describe('a node that is not up', () => {
  it('is waited for, and no longer than said', async () => {
    const gone = await new AdminDouble().listen();
    const { url } = gone;
    await gone.close();
    const clock = new FakeClock();
    const started = clock.monotonic();
    const error = await failure({ url, waitSeconds: 30 }, restored(), clock);
    expect(error).toMatchObject({ kind: 'unavailable' });
    expect(error['message']).toMatch(/not up after 30 s.*cannot be reached/);
    expect(clock.monotonic() - started).toBeLessThanOrEqual(31_000);
    expect(clock.sleeping).toBe(0);
  });

  it('is given the configuration once it is', async () => {
    node.status = [503, '{}'];
    const clock = new FakeClock();
    const applying = (await target({}, clock)).apply(restored(), { signal: SIGNAL });
    while (node.statusRequests === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(node.loads).toEqual([]);
    node.status = [200, JSON.stringify({ configuration_hash: '0'.repeat(32) })];
    expect((await passing(clock, applying)).where).toBe(`${node.url}/config`);
    expect(clock.sleeping).toBe(0);
  });

  it.each([401, 404])('but answers %i is not waited for', async (status) => {
    node.status = [status, '{}'];
    await failure();
    expect(node.statusRequests).toBe(1);
  });

  it('that accepts and says nothing ends with the deadline', async () => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    const error = await failure(
      { url: `http://127.0.0.1:${port}`, waitSeconds: 3 },
      restored(),
      new FakeClock(),
    );
    expect(error).toMatchObject({ kind: 'unavailable' });
    expect(error['message']).toMatch(/no answer within/);
    silent.close();
  });

  it('ends with the signal', async () => {
    node.status = [503, '{}'];
    const stop = new AbortController();
    const clock = new FakeClock();
    const applying = (await target({}, clock)).apply(restored(), { signal: stop.signal });
    while (node.statusRequests === 0) await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    await expect(applying).rejects.toThrow();
    expect(clock.sleeping).toBe(0);
  });
});

describe('a node that is up', () => {
  it('gets the document byte for byte, and the token', async () => {
    const applied = await (await target({ token: 'a-token' })).apply(restored(), { signal: SIGNAL });
    expect(applied).toEqual({ where: `${node.url}/config` });
    expect(node.loads).toHaveLength(1);
    expect(node.loads[0]?.body.equals(DOCUMENT)).toBe(true);
    expect(node.loads[0]?.url).toBe('/config?flatten_errors=1');
    expect(node.loads[0]?.headers).toMatchObject({ 'content-type': 'application/json' });
    expect(new Set(node.tokens)).toEqual(new Set(['a-token']));
  });

  it('gets one of many megabytes, in pieces', async () => {
    const piece = Buffer.alloc(65_536, ' ');
    node.maxBodyBytes = 100 * 2 ** 20;
    const length = 300 * piece.length;
    await (await target()).apply(
      restored(
        Array.from({ length: 300 }, () => piece),
        length,
      ),
      { signal: SIGNAL },
    );
    expect(node.loads[0]?.body.length).toBe(length);
  });

  it('and does not tell its hash is believed', async () => {
    node.answer = [201, '{}'];
    node.status = [200, '{}'];
    await (await target()).apply(restored(), { signal: SIGNAL });
    expect(node.loads).toHaveLength(1);
  });
});

describe('settings', () => {
  it.each([
    [{ url: 'ftp://127.0.0.1' }, /http/],
    [{ url: 'http://user:password@127.0.0.1:8001' }, /token/],
    [{ token: 'two words' }, /one word/],
  ])('%j is refused', async (settings, message) => {
    await expect(target(settings)).rejects.toThrow(message);
  });

  it('a CA that cannot be read is named', async () => {
    await expect(target({ ca: '/nowhere/ca.crt' })).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining('/nowhere/ca.crt'),
    });
    const directory = mkdtempSync(join(tmpdir(), 'kongfallback-ca-'));
    writeFileSync(join(directory, 'ca.crt'), 'any');
    await expect(target({ ca: join(directory, 'ca.crt') })).resolves.toBeDefined();
    rmSync(directory, { recursive: true });
  });
});
