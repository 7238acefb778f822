import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import gateway from '../../../../plugins/validator/gateway/index.ts';
import { systemClock } from '../../../../src/resilience/index.ts';
import { FakeClock } from '../../../../src/testing/fake-clock.ts';
import { pluginContext } from '../../../../src/testing/plugin-context.ts';
import { GatewayDouble } from './gateway-double.ts';
import { issuesOf, judge } from './judge.ts';

const TABLE = { _format_version: '3.0', services: [{ name: 'orders' }] };

let double: GatewayDouble;
beforeEach(async () => {
  double = await new GatewayDouble().listen();
});
afterEach(() => double.close());

const find = (settings: object = {}, given: object = {}) =>
  judge(gateway, TABLE, {
    settings: { url: double.url, waitSeconds: 0, ...settings },
    plugin: { clock: systemClock },
    ...given,
  });

describe('no verdict', () => {
  const answers: readonly [string, (one: GatewayDouble) => void, RegExp, RegExp][] = [
    ['nobody there', (one) => void one.close(), /ECONNREFUSED/, /running/],
    [
      'a database',
      (one) => {
        one.answers = [
          [
            400,
            '{"message":"this endpoint is only available when Kong is configured to not use a database"}',
          ],
        ];
      },
      /uses a database/,
      /database = off/,
    ],
    [
      'no right',
      (one) => {
        one.root = [401, '{}'];
      },
      /401/,
      /token/,
    ],
    [
      'no right to load',
      (one) => {
        one.answers = [[403, '{}']];
      },
      /403/,
      /token/,
    ],
    [
      'a proxy',
      (one) => {
        one.root = [404, '{"message":"no Route matched with those values"}'];
      },
      /not an Admin API/,
      /admin_listen/,
    ],
    [
      'a small limit',
      (one) => {
        one.maxBodyBytes = 10;
      },
      /limit for bodies/,
      /nginx_admin_client_max_body_size .* 20m/,
    ],
    [
      'a full LMDB',
      (one) => {
        one.answers = [[413, '{"message":"map full"}']];
      },
      /LMDB is full/,
      /lmdb_map_size/,
    ],
    [
      'another load',
      (one) => {
        one.answers = [[429, '{}']];
      },
      /another configuration/,
      /alone/,
    ],
    [
      'a crash',
      (one) => {
        one.answers = [[500, 'oops']];
      },
      /answered 500/,
      /error log/,
    ],
    [
      'a redirect',
      (one) => {
        one.root = [302, ''];
      },
      /answered 302/,
      /error log/,
    ],
  ];

  describe.each(answers)('%s', (_what, spoil, reason, hint) => {
    it.each([
      ['warn', 'warning'],
      ['refuse', 'error'],
    ])('with unavailable: %s is a %s that says so', async (unavailable, severity) => {
      const { url } = double;
      spoil(double);
      expect(await find({ url, unavailable })).toEqual([
        {
          code: 'gateway/unavailable',
          severity,
          message: expect.stringMatching(reason),
          hint: expect.stringMatching(hint),
        },
      ]);
    });
  });

  it.each([
    ['another version', '{"version":"3.9.1"}', /it is for 3\.9\.3, .* is 3\.9\.1$/],
    ['no version', '{"tagline":"x"}', /does not tell its version$/],
    ['no JSON', '<html>', /does not tell its version$/],
  ])('%s is not asked, and warns', async (_what, root, message) => {
    double.root = [200, root];
    expect(await find({ unavailable: 'refuse' })).toMatchObject([
      { code: 'gateway/version', severity: 'warning', message: expect.stringMatching(message) },
    ]);
    expect(double.loads).toEqual([]);
  });

  it('is waited for, as long as waitSeconds', async () => {
    double.answers = [
      [429, '{}'],
      [503, '{}'],
      [201, '{}'],
    ];
    const clock = new FakeClock({ runs: true });
    expect(await find({ waitSeconds: 60 }, { plugin: { clock: quickAfter(clock) } })).toEqual([]);
    expect(double.loads).toHaveLength(3);
  });

  it('is not waited for where waiting mends nothing', async () => {
    double.root = [401, '{}'];
    await find({ waitSeconds: 60 });
    expect(double.asked).toBe(1);
  });

  it('is the end of a gateway that hangs', async () => {
    double.isSilent = true;
    const clock = new FakeClock();
    const asked = double.next();
    const finding = find({}, { plugin: { clock } });
    await asked;
    await clock.advance(5000);
    expect(await finding).toMatchObject([{ message: expect.stringContaining('no answer within 5 s') }]);
    expect(clock.sleeping).toBe(0);
  });
});

describe('a refusal', () => {
  const flattened = (...errors: unknown[]): void => {
    double.answers = [[400, JSON.stringify({ code: 14, message: 'invalid', flattened_errors: errors })]];
  };

  it('names each entity and what is wrong with it, and no value', async () => {
    flattened({
      entity_type: 'service',
      entity_name: 'orders',
      entity_id: '8a1f6a0e-0000-4000-8000-000000000001',
      entity: { name: 'orders', host: 'hunter2.internal', password: 'hunter2' },
      errors: [
        { type: 'field', field: 'host', message: "invalid value: 'hunter2.internal'" },
        { type: 'entity', message: ['failed: hunter2', 'again'] },
      ],
    });
    const found = await find({ unavailable: 'warn' });
    expect(found).toEqual([
      {
        code: 'gateway/refused',
        severity: 'error',
        message: expect.stringMatching(
          /^service orders: host: invalid value: '\*\*\*'; failed: \*\*\*, again$/,
        ),
        hint: expect.stringContaining('control plane'),
        path: ['service', '8a1f6a0e-0000-4000-8000-000000000001', 'host'],
      },
    ]);
    expect(JSON.stringify(found)).not.toContain('hunter');
  });

  it.each([
    ['no JSON', 'oops'],
    ['null', 'null'],
    ['a list', '[]'],
    ['odd errors', '{"flattened_errors":[null,1,[]]}'],
    ['a text for errors', '{"flattened_errors":"x"}'],
  ])('that nobody can read refuses as well: %s', async (_what, body) => {
    double.answers = [[400, body]];
    expect(await find()).toMatchObject([{ code: 'gateway/refused', severity: 'error' }]);
  });

  it('of an entity with odd members shows nothing of them', async () => {
    flattened({
      entity_type: 'a b',
      entity_name: 'x\ny',
      entity_id: 7,
      errors: [{ field: 'z\u0000', message: null }],
    });
    expect(await find()).toMatchObject([{ message: 'entity: null', path: ['entity', '?'] }]);
  });

  it('without entities says what Kong says', async () => {
    double.answers = [[400, '{"message":"expected a declarative configuration"}']];
    expect(await find()).toMatchObject([{ message: expect.stringContaining('expected a declarative') }]);
  });

  it('of a thousand entities is bounded', async () => {
    flattened(
      ...Array.from({ length: 1000 }, (_, at) => ({
        entity_type: 'route',
        entity_name: `r${at}`,
        errors: [{ field: 'paths', message: 'x'.repeat(5000) }],
      })),
    );
    const found = await find();
    expect(found).toHaveLength(51);
    expect(found.at(-1)?.message).toBe('and 950 more entities');
    for (const { message } of found) expect(message.length).toBeLessThan(300);
  });
});

describe('an acceptance', () => {
  it('gives no finding; the document arrives as it is, with the token', async () => {
    expect(await find({ token: 'secret-token' })).toEqual([]);
    expect(double.loads).toEqual([
      { url: '/config?flatten_errors=1', token: 'secret-token', body: Buffer.from(JSON.stringify(TABLE)) },
    ]);
  });

  it('of Kong Enterprise is known by its number', async () => {
    double.version = '3.9.1.2-enterprise-edition';
    expect(await find({}, { context: { gatewayVersion: '3.9.1.2' } })).toEqual([]);
    expect(double.loads).toHaveLength(1);
  });

  it('is not waited for after an abort', async () => {
    double.isSilent = true;
    const stop = new AbortController();
    const asked = double.next();
    const finding = find({}, { signal: stop.signal });
    await asked;
    stop.abort();
    await expect(finding).rejects.toMatchObject({ kind: 'aborted' });
  });
});

describe('settings', () => {
  it.each([
    [{}, /^url: /],
    [{ url: 'ftp://a' }, /^url: /],
    [{ url: 'http://user:secret@a:8001' }, /^url: .*without credentials/],
    [{ url: 'http://a', token: 'two words' }, /^token: /],
    [{ url: 'http://a', unavailable: 'ignore' }, /^unavailable: /],
    [{ url: 'http://a', loadSeconds: 1000 }, /^loadSeconds: /],
    [{ url: 'http://a', waitSeconds: '10' }, /^waitSeconds: /],
    [{ url: 'http://a', uri: 'x' }, /^uri: unknown/],
  ])('%j are refused', async (settings, message) => {
    const issues = await issuesOf(gateway, settings);
    expect(issues).toEqual([expect.stringMatching(message)]);
    expect(issues.join()).not.toContain('secret');
  });

  it('name a CA file that must be there', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kongfallback-gateway-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const options = {
      url: 'https://a',
      waitSeconds: 0,
      loadSeconds: 1,
      unavailable: 'warn',
      ca: 'no.crt',
    } as const;
    await expect(gateway.create(options, pluginContext({ baseDirectory: folder }))).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining(join(folder, 'no.crt')),
    });
  });
});

/** Pauses of a second take no time; limits of requests do not run out. */
function quickAfter(clock: FakeClock): FakeClock {
  const sleep = clock.sleep.bind(clock);
  clock.sleep = (ms, signal) => (ms === 1000 ? sleep(ms, signal) : systemClock.sleep(ms, signal));
  return clock;
}
