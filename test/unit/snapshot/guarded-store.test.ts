import { strict as assert } from 'node:assert';
import type { ObjectInfo, ObjectStore, StoredObject } from 'kongfallback/plugin';
import { FakeClock, faulty, pattern, pluginContext } from 'kongfallback/testing';
import { describe, test } from 'vitest';
import memory from '../../../plugins/storage/memory/index.ts';
import { FallbackError } from '../../../src/errors/index.ts';
import { Breaker, Outside } from '../../../src/resilience/index.ts';
import { GuardedStore, type GuardedStoreOptions } from '../../../src/snapshot/guarded-store.ts';
import { StoreCounts } from '../../../src/snapshot/store-counts.ts';

const KEY = '3.9.1/head.json';
const NO_RETRY = { attempts: 1, delayMs: 0, maxDelayMs: 0 };
const signal = new AbortController().signal;
const text = (value: string) => new TextEncoder().encode(value);
const hang = () => new Promise<never>(() => {});

async function inMemory(): Promise<ObjectStore> {
  return memory.create({}, pluginContext());
}

/** A store of which a test writes only the part that lies. */
const plugin = (part: Partial<ObjectStore>): ObjectStore => ({
  get: async () => undefined,
  put: async () => ({ etag: '"1"' }),
  list: async function* () {},
  delete: async () => {},
  ...part,
});

function guarded(store: ObjectStore, options: Partial<GuardedStoreOptions> = {}) {
  const clock = new FakeClock();
  const guardedStore = new GuardedStore({
    id: 'dr-site',
    store,
    prefix: 'production',
    capabilities: { conditionalPut: true },
    outside: new Outside(clock, () => 0),
    clock,
    timings: { requestMs: 1_000, idleMs: 100, streamMs: 5_000, putMsPerMiB: 10, retry: NO_RETRY },
    ...options,
  });
  return { clock, store: guardedStore };
}

/** The error that a call ends in, time moving on as far as it needs. */
async function failure(work: Promise<unknown>, clock?: FakeClock, ms = 0): Promise<FallbackError> {
  const ended = work.then(
    () => assert.fail('it resolved'),
    (error: unknown) => error,
  );
  if (clock !== undefined) await clock.advance(ms);
  const error = await ended;
  assert.ok(error instanceof FallbackError, String(error));
  return error;
}

async function drained(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of body) parts.push(chunk);
  return Buffer.concat(parts);
}

const object = (body: StoredObject['body']): StoredObject => ({ etag: '"1"', body });

describe('a plugin that lies is ended', () => {
  test('get that never settles: the deadline, and its signal fired', async () => {
    let given: AbortSignal | undefined;
    const { clock, store } = guarded(
      plugin({
        get: (_key, options) => {
          given = options.signal;
          return hang();
        },
      }),
    );
    const error = await failure(store.read(KEY, { maxBytes: 10, signal }), clock, 1_000);
    assert.equal(error.code, 'KF_DEADLINE_EXCEEDED');
    assert.match(error.message, /^storage dr-site: get production\/3\.9\.1\/head\.json: /);
    assert.equal(given?.aborted, true);
    assert.equal(clock.sleeping, 0, 'no timer is left');
  });

  for (const operation of ['put', 'delete', 'list', 'close'] as const) {
    test(`${operation} that never settles: the deadline`, async () => {
      const stuck = plugin({
        [operation]:
          operation === 'list'
            ? async function* () {
                await hang();
                yield { key: 'never', size: 0 };
              }
            : hang,
      });
      const { clock, store } = guarded(stuck);
      const calls = {
        put: () => store.put(KEY, text('x'), { ifAbsent: true, signal }),
        delete: () => store.delete(KEY, { signal }),
        list: () => store.list('', { signal }).next(),
        close: () => store.close({ signal }),
      };
      const error = await failure(calls[operation](), clock, 1_010);
      assert.equal(error.kind, 'unavailable');
      assert.match(error.message, new RegExp(`^storage dr-site: ${operation}`));
      assert.equal(clock.sleeping, 0, 'no timer is left');
    });
  }

  test('a body that stalls: after idleMs, in read and in stream', async () => {
    const stalling = async function* () {
      yield text('ab');
      await hang();
    };
    const { clock, store } = guarded(plugin({ get: async () => object(stalling()) }));
    const read = await failure(store.read(KEY, { maxBytes: 10, signal }), clock, 100);
    assert.equal(read.code, 'KF_STORE_BODY_STALLED');
    const streamed = await store.stream(KEY, { signal });
    assert.ok(streamed);
    const error = await failure(drained(streamed.body), clock, 100);
    assert.equal(error.code, 'KF_STORE_BODY_STALLED');
    assert.equal(clock.sleeping, 0, 'no timer is left');
  });

  test('a slow reader is no stalling store', async () => {
    const { clock, store } = guarded(plugin({ get: async () => object([text('a'), text('b')]) }));
    const streamed = await store.stream(KEY, { signal });
    let all = '';
    for await (const chunk of streamed?.body ?? []) {
      all += Buffer.from(chunk).toString();
      await clock.advance(400);
    }
    assert.equal(all, 'ab');
  });

  test('a body of empty chunks without end, which never lets a timer run', async () => {
    const { clock, store } = guarded(
      plugin({
        get: async () =>
          object(
            (function* () {
              for (;;) {
                clock.jump(1);
                yield new Uint8Array(0);
              }
            })(),
          ),
      }),
    );
    const error = await failure(store.read(KEY, { maxBytes: 10, signal }));
    assert.equal(error.code, 'KF_STORE_BODY_STALLED');
  });

  test('a body that drips for ever: the deadline', async () => {
    const clock = new FakeClock();
    const dripping = async function* () {
      for (;;) {
        await clock.sleep(50);
        yield text('x');
      }
    };
    const { store } = guarded(plugin({ get: async () => object(dripping()) }), {
      clock,
      outside: new Outside(clock, () => 0),
    });
    const streamed = await store.stream(KEY, { signal });
    assert.ok(streamed);
    const error = await failure(drained(streamed.body), clock, 6_000);
    assert.equal(error.code, 'KF_DEADLINE_EXCEEDED');
  });

  test('a body without end: too large, and its source is left', async () => {
    let left = false;
    const endless = async function* () {
      try {
        for (;;) yield pattern(1000);
      } finally {
        left = true;
      }
    };
    const { store } = guarded(plugin({ get: async () => object(endless()) }));
    const error = await failure(store.read(KEY, { maxBytes: 10_000, signal }));
    assert.deepEqual([error.kind, error.code], ['corrupt', 'KF_STORE_OBJECT_TOO_LARGE']);
    assert.ok(left);
  });

  test('an object of exactly maxBytes passes', async () => {
    const { store } = guarded(plugin({ get: async () => object([pattern(10)]) }));
    const found = await store.read(KEY, { maxBytes: 10, signal });
    assert.ok(found !== undefined && found !== 'not-modified');
    assert.deepEqual([...found.bytes], [...pattern(10)]);
  });

  const wrong: readonly (readonly [string, unknown])[] = [
    ['null', null],
    ['a string', 'object'],
    ["'not-modified' unasked", 'not-modified'],
    ['no ETag', { body: [] }],
    ['an empty ETag', { etag: '', body: [] }],
    ['a giant ETag', { etag: 'x'.repeat(100_000), body: [] }],
    ['no body', { etag: '"1"' }],
    ['bytes as body', { etag: '"1"', body: new Uint8Array(1) }],
    ['strings as chunks', { etag: '"1"', body: ['text'] }],
    ['numbers as chunks', { etag: '"1"', body: [[1, 2]] }],
  ];
  for (const [name, answer] of wrong) {
    test(`get answers ${name}: KF_PLUGIN_MISBEHAVED`, async () => {
      const { store } = guarded(plugin({ get: async () => answer as StoredObject }));
      const error = await failure(store.read(KEY, { maxBytes: 10, signal }));
      assert.deepEqual([error.kind, error.code], ['unavailable', 'KF_PLUGIN_MISBEHAVED']);
      assert.ok(error.message.length < 300);
    });
  }

  test('put answers nothing, list answers nonsense: KF_PLUGIN_MISBEHAVED', async () => {
    const put = guarded(plugin({ put: async () => undefined as never }));
    const written = await failure(put.store.put(KEY, text('x'), { ifAbsent: true, signal }));
    assert.equal(written.code, 'KF_PLUGIN_MISBEHAVED');
    for (const info of [null, {}, { key: 'production/a' }, { key: 'elsewhere/a', size: 1 }]) {
      const { store } = guarded(
        plugin({
          list: async function* () {
            yield info as ObjectInfo;
          },
        }),
      );
      const error = await failure(store.list('', { signal }).next());
      assert.equal(error.code, 'KF_PLUGIN_MISBEHAVED', JSON.stringify(info));
    }
  });

  test('an error without a kind, also thrown at once or half-way: KF_PLUGIN_UNCLASSIFIED', async () => {
    const broken: Partial<ObjectStore>[] = [
      { get: () => Promise.reject(new Error('odd')) },
      {
        get: () => {
          throw new Error('odd');
        },
      },
      {
        get: async () =>
          object(
            (async function* () {
              yield text('a');
              throw new Error('odd');
            })(),
          ),
      },
    ];
    for (const part of broken) {
      const { store } = guarded(plugin(part));
      const error = await failure(store.read(KEY, { maxBytes: 10, signal }));
      assert.deepEqual([error.kind, error.code], ['unavailable', 'KF_PLUGIN_UNCLASSIFIED']);
      assert.equal(error.message, 'storage dr-site: get production/3.9.1/head.json: odd');
    }
  });

  test('a kind, hint and pause that the plugin declares are kept, the operation is named once', async () => {
    for (const message of ['slow down', 'storage dr-site: slow down']) {
      const declared = pluginContext().error('unavailable', message, { hint: 'Wait.', retryAfterMs: 7 });
      const { store } = guarded(plugin({ get: () => Promise.reject(declared) }));
      const error = await failure(store.read(KEY, { maxBytes: 10, signal }));
      assert.equal(error.message, 'storage dr-site: get production/3.9.1/head.json: slow down');
      assert.deepEqual([error.kind, error.hint, error.retryAfterMs], ['unavailable', 'Wait.', 7]);
    }
  });

  test('a return() that never settles does not hold up the caller', async () => {
    const body: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({ next: async () => ({ done: false, value: text('x') }), return: hang }),
    };
    const { clock, store } = guarded(plugin({ get: async () => object(body) }), {
      timings: { retry: NO_RETRY },
    });
    const error = await failure(store.read(KEY, { maxBytes: 3, signal }), clock, 1_000);
    assert.equal(error.code, 'KF_STORE_OBJECT_TOO_LARGE');
  });
});

describe('the caller', () => {
  test('stops a read half-way: aborted, and the plugin is told', async () => {
    let given: AbortSignal | undefined;
    const stop = new AbortController();
    const { clock, store } = guarded(
      plugin({
        get: async (_key, options) => {
          given = options.signal;
          return object(
            (async function* () {
              await hang();
              yield text('never');
            })(),
          );
        },
      }),
    );
    const streamed = await store.stream(KEY, { signal: stop.signal });
    assert.ok(streamed);
    const ended = failure(drained(streamed.body));
    stop.abort();
    assert.equal((await ended).kind, 'aborted');
    assert.equal(given?.aborted, true);
    assert.equal(clock.sleeping, 0, 'no timer is left');
  });

  test('discards a body unread: the plugin is told, no timer is left', async () => {
    let given: AbortSignal | undefined;
    const { clock, store } = guarded(
      plugin({
        get: async (_key, options) => {
          given = options.signal;
          return object([text('x')]);
        },
      }),
    );
    const streamed = await store.stream(KEY, { signal });
    assert.equal(given?.aborted, false);
    streamed?.discard();
    assert.equal(given?.aborted, true);
    await clock.advance(0);
    assert.equal(clock.sleeping, 0);
  });

  test('leaves the loop: the plugin is left too', async () => {
    let left = false;
    const { clock, store } = guarded(
      plugin({
        get: async () =>
          object(
            (async function* () {
              try {
                yield text('a');
                yield text('b');
              } finally {
                left = true;
              }
            })(),
          ),
      }),
    );
    const streamed = await store.stream(KEY, { signal });
    for await (const _ of streamed?.body ?? []) break;
    assert.ok(left);
    await clock.advance(0);
    assert.equal(clock.sleeping, 0);
  });

  for (const key of [
    '',
    '/a',
    'a/',
    'a//b',
    '../a',
    'a/..',
    './a',
    'a b',
    'ä',
    'a\\b',
    'a\0',
    'x'.repeat(513),
  ]) {
    test(`cannot use ${JSON.stringify(key.slice(0, 20))} as a key`, async () => {
      const { store } = guarded(await inMemory());
      const calls = [
        store.read(key, { maxBytes: 1, signal }),
        store.stream(key, { signal }),
        store.put(key, text('x'), { ifAbsent: true, signal }),
        store.delete(key, { signal }),
      ];
      for (const call of calls) assert.equal((await failure(call)).code, 'KF_STORE_KEY_INVALID');
      assert.equal(store.counts.requests, 0);
    });
  }
});

describe('time', () => {
  const served = (serverTime: Date, tookMs: number, wallMs = 0) => {
    const clock = new FakeClock();
    const store = plugin({
      get: async () => {
        clock.jump(tookMs);
        clock.setWall(clock.now() + wallMs);
        return { ...object([text('x')]), serverTime };
      },
      put: async () => {
        clock.jump(tookMs);
        return { etag: '"1"', serverTime };
      },
    });
    return guarded(store, { clock, outside: new Outside(clock, () => 0), timings: { retry: NO_RETRY } });
  };
  const time = new Date('2026-01-01T00:00:00Z');

  test("the store's time is given when the answer took 2 s at most", async () => {
    const { clock, store } = served(time, 2_000);
    const askedMs = clock.monotonic();
    const found = await store.read(KEY, { maxBytes: 1, signal });
    assert.ok(found !== undefined && found !== 'not-modified');
    assert.deepEqual([found.serverTime, found.askedMs], [time, askedMs]);
    assert.deepEqual((await store.put(KEY, text('x'), { ifAbsent: true, signal })).serverTime, time);
  });

  test('and dropped when it took longer, by either clock, or is no date', async () => {
    for (const { store } of [
      served(time, 2_001),
      served(time, 0, 60_000),
      served(new Date('never'), 0),
      served('2026' as never, 0),
    ]) {
      const found = await store.read(KEY, { maxBytes: 1, signal });
      assert.ok(found !== undefined && found !== 'not-modified');
      assert.equal(found.serverTime, undefined);
    }
  });
});

describe('requests', () => {
  test('get, list and delete are retried, each attempt is counted; a conditional put is not', async () => {
    const clock = new FakeClock({ runs: true });
    const once = { times: 1, error: { kind: 'unavailable', message: 'away' } } as const;
    const store = faulty(await inMemory(), [
      { on: 'get', ...once },
      { on: 'delete', ...once },
      { on: 'list', ...once },
      { on: 'put', ...once },
    ]);
    const { store: retried } = guarded(store, {
      clock,
      outside: new Outside(clock, () => 0),
      timings: { retry: { attempts: 3, delayMs: 100, maxDelayMs: 1_000 } },
    });
    assert.equal(
      (await failure(retried.put(KEY, text('abc'), { ifAbsent: true, signal }))).kind,
      'unavailable',
    );
    await retried.put(KEY, text('abc'), { ifAbsent: true, signal });
    await retried.read(KEY, { maxBytes: 10, signal });
    const keys: string[] = [];
    for await (const info of retried.list('', { signal })) keys.push(info.key);
    assert.deepEqual(keys, [KEY]);
    await retried.delete(KEY, { signal });
    const { bytesDown, bytesUp, delete: deletes, get, list, put } = retried.counts;
    assert.deepEqual(
      { bytesDown, bytesUp, deletes, get, list, put },
      {
        bytesDown: 3,
        bytesUp: 6,
        deletes: 2,
        get: 2,
        list: 2,
        put: 2,
      },
    );
  });

  test('a put whose answer is lost is unavailable, and reading back shows it', async () => {
    const { store } = guarded(
      faulty(await inMemory(), [
        { on: 'put', times: 1, when: 'after-effect', error: { kind: 'unavailable', message: 'lost' } },
      ]),
    );
    assert.equal((await failure(store.put(KEY, text('x'), { ifAbsent: true, signal }))).kind, 'unavailable');
    const found = await store.read(KEY, { maxBytes: 10, signal });
    assert.ok(found !== undefined && found !== 'not-modified');
    assert.equal(Buffer.from(found.bytes).toString(), 'x');
  });

  test('an open breaker asks nothing', async () => {
    const breaker = new Breaker('dr-site', {
      errorThresholdPercentage: 50,
      volumeThreshold: 1,
      resetTimeoutMs: 60_000,
      windowMs: 60_000,
    });
    const { store } = guarded(
      plugin({ get: () => Promise.reject(pluginContext().error('unavailable', 'away')) }),
      { breaker },
    );
    await failure(store.read(KEY, { maxBytes: 1, signal }));
    await failure(store.read(KEY, { maxBytes: 1, signal }));
    const error = await failure(store.read(KEY, { maxBytes: 1, signal }));
    assert.equal(error.code, 'KF_BREAKER_OPEN');
    assert.match(error.message, /failed repeatedly.*away/);
    assert.ok(store.counts.get < 3);
    breaker.close();
  });

  test('a refusal is an answer: the next key of the same store is asked for', async () => {
    const breaker = new Breaker('dr-site');
    const denied = pluginContext().error('denied', 'no such key', { hint: 'Give the right key.' });
    const { store } = guarded(plugin({ get: () => Promise.reject(denied) }), { breaker });
    for (let i = 0; i < 5; i++) {
      const error = await failure(store.read(KEY, { maxBytes: 1, signal }));
      assert.deepEqual([error.kind, error.hint], ['denied', 'Give the right key.']);
    }
    assert.equal(store.counts.get, 5);
    breaker.close();
  });

  test('what a probe is denied says nothing about the keys of the flows', async () => {
    const breaker = new Breaker('dr-site');
    const denied = pluginContext().error('denied', 'not this key');
    const { store } = guarded(plugin({ put: () => Promise.reject(denied) }), { breaker });
    await failure(store.countedApart(new StoreCounts()).put(KEY, text('x'), { ifAbsent: true, signal }));
    assert.equal(breaker.state, 'closed');
    breaker.close();
  });

  test('keys under the prefix that are none of ours are not listed; the prefix is taken off', async () => {
    const { store } = guarded(
      plugin({
        list: async function* () {
          for (const key of ['production/a', 'production/b c', 'production//d', 'production/e/f']) {
            yield { key, size: 1 };
          }
        },
      }),
    );
    const keys: string[] = [];
    for await (const info of store.list('', { signal })) keys.push(info.key);
    assert.deepEqual(keys, ['a', 'e/f']);
  });
});

describe('a store without conditional writes', () => {
  const unconditional = (store: ObjectStore, singleWriter: boolean) =>
    guarded(store, { capabilities: {}, singleWriter }).store;

  test('is refused, and asked nothing', async () => {
    const store = unconditional(await inMemory(), false);
    const error = await failure(store.put(KEY, text('x'), { ifAbsent: true, signal }));
    assert.deepEqual([error.kind, error.code], ['unsupported', 'KF_STORE_NOT_CONDITIONAL']);
    assert.equal(store.counts.requests, 0);
  });

  test('with singleWriter keeps the conditions by reading first, and sends none', async () => {
    const sent: unknown[] = [];
    const inner = await inMemory();
    const store = unconditional(
      {
        ...plugin({}),
        get: (key, options) => inner.get(key, options),
        put: (key, body, options) => {
          sent.push(options.ifMatch, options.ifAbsent);
          return inner.put(key, body, options);
        },
      },
      true,
    );
    const { etag } = await store.put(KEY, text('1'), { ifAbsent: true, signal });
    const again = await failure(store.put(KEY, text('2'), { ifAbsent: true, signal }));
    assert.deepEqual([again.kind, again.code], ['conflict', 'KF_STORE_CONFLICT']);
    await store.put(KEY, text('2'), { ifMatch: etag, signal });
    const stale = await failure(store.put(KEY, text('3'), { ifMatch: etag, signal }));
    assert.equal(stale.kind, 'conflict');
    assert.deepEqual(sent, [undefined, undefined, undefined, undefined]);
  });

  test('found out by the probe goes on without sending conditions, under the same counters', async () => {
    const sent: unknown[] = [];
    const { store } = guarded(
      plugin({
        put: async (_key, _body, options) => {
          sent.push(options.ifAbsent);
          return { etag: '"1"' };
        },
      }),
      { singleWriter: true },
    );
    const without = store.withoutConditions();
    await without.put(KEY, text('x'), { ifAbsent: true, signal });
    assert.deepEqual(sent, [undefined]);
    assert.deepEqual([store.counts.put, store.counts.get], [1, 1]);
  });

  test('an object above the limit of the store is not sent', async () => {
    const { store } = guarded(await inMemory(), {
      capabilities: { conditionalPut: true, maxObjectBytes: 2 },
    });
    const error = await failure(store.put(KEY, text('abc'), { ifAbsent: true, signal }));
    assert.deepEqual([error.kind, error.code], ['unsupported', 'KF_STORE_OBJECT_LIMIT']);
    assert.equal(store.counts.put, 0);
  });
});
