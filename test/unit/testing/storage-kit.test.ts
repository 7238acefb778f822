// The kit must notice: each of these stores breaks one promise, and at least the named case has to fail.
import { strict as assert } from 'node:assert';
import type { ObjectStore, StorageCapabilities } from 'kongfallback/plugin';
import { faulty, pluginContext, storageContract } from 'kongfallback/testing';
import { test } from 'vitest';
import memory from '../../../plugins/storage/memory/index.ts';

type Change = (store: ObjectStore) => ObjectStore;

/** Names of the cases that fail. */
async function failing(change: Change, capabilities: StorageCapabilities): Promise<string[]> {
  const cases: [string, () => Promise<void>][] = [];
  storageContract(
    (name, run) => cases.push([name, run]),
    async () => {
      const store = change(await memory.create({}, pluginContext()));
      return { capabilities, open: () => store };
    },
  );
  assert.ok(cases.length > 20);
  const failed: string[] = [];
  for (const [name, run] of cases) await run().catch(() => failed.push(name));
  return failed;
}

const changed =
  (part: (store: ObjectStore) => Partial<ObjectStore>): Change =>
  (store) => ({ ...faulty(store, []), ...part(store) });

const lies: readonly (readonly [string, RegExp, Change, StorageCapabilities?])[] = [
  [
    'ignores conditions it does not claim',
    /not claimed are refused/,
    changed((store) => ({ put: (key, body, { signal }) => store.put(key, body, { signal }) })),
    {},
  ],
  [
    'claims conditions that it does not keep',
    /ifAbsent creates, and never replaces/,
    changed((store) => ({ put: (key, body, { signal }) => store.put(key, body, { signal }) })),
  ],
  [
    'checks the condition and writes in two steps',
    /ifMatch under a race/,
    changed((store) => ({
      async put(key, body, { signal, ...condition }) {
        const current = await store.get(key, { signal });
        const etag = current === undefined || current === 'not-modified' ? undefined : current.etag;
        const kept = condition.ifAbsent === true ? etag === undefined : (condition.ifMatch ?? etag) === etag;
        if (!kept) throw pluginContext().error('conflict', 'lost');
        await new Promise<void>((done) => setImmediate(done));
        return store.put(key, body, { signal });
      },
    })),
  ],
  [
    'throws for a missing object',
    /missing object is undefined/,
    (store) => faulty(store, [{ on: 'get', error: {} }]),
  ],
  [
    'flips a bit',
    /bytes come back exactly/,
    (store) => faulty(store, [{ on: 'body', fault: 'flip', at: 100, key: /bytes-256/ }]),
  ],
  [
    'cuts bodies',
    /bytes come back exactly/,
    (store) => faulty(store, [{ on: 'body', fault: 'truncate', at: 200 }]),
  ],
  [
    'has one ETag for all',
    /ETag changes with the bytes/,
    changed((store) => ({ put: async (...call) => ({ ...(await store.put(...call)), etag: '"1"' }) })),
  ],
  [
    'lists in another order',
    /in ascending order/,
    changed((store) => ({
      async *list(prefix, options) {
        const all = [];
        for await (const info of store.list(prefix, options)) all.unshift(info);
        yield* all;
      },
    })),
  ],
  [
    'lists one page only',
    /goes on over pages/,
    changed((store) => ({
      async *list(prefix, options) {
        let left = 20;
        for await (const info of store.list(prefix, options)) if (left-- > 0) yield info;
      },
    })),
  ],
  [
    'ignores signals',
    /fired before the call/,
    changed((store) => {
      const { signal } = new AbortController();
      return { get: (key) => store.get(key, { signal }) };
    }),
  ],
  [
    'fails to delete what is missing',
    /missing object is no error/,
    changed((store) => ({
      async delete(key, options) {
        if ((await store.get(key, options)) === undefined) throw new Error('missing');
        await store.delete(key, options);
      },
    })),
  ],
];

for (const [name, expected, change, capabilities = { conditionalPut: true }] of lies) {
  test(`the kit notices a store that ${name}`, async () => {
    const failed = await failing(change, capabilities);
    assert.ok(
      failed.some((one) => expected.test(one)),
      `failed: ${failed.join('; ')}`,
    );
  });
}

test('and finds nothing wrong with an honest one', async () => {
  assert.deepEqual(await failing((store) => store, { conditionalPut: true }), []);
});
