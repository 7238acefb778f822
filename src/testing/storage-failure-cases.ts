import { strict as assert } from 'node:assert';
import type { ObjectStore } from '../plugin/index.ts';
import { assertKind } from './assert-kind.ts';
import { assertSameBytes, pattern } from './bytes.ts';
import { turn } from './harness.ts';
import type { StorageCase } from './storage-case.ts';
import { bytesOf, text } from './stored.ts';

async function listAll(store: ObjectStore, prefix: string, signal: AbortSignal): Promise<number> {
  let count = 0;
  for await (const _ of store.list(prefix, { signal })) count++;
  return count;
}

export const failureCases: readonly StorageCase[] = [
  {
    name: 'a signal that fired before the call: aborted, and nothing done',
    async run(store, { key, signal }) {
      await store.put(key('a'), text('first'), { signal });
      const stopped = AbortSignal.abort();
      await assertKind(store.get(key('a'), { signal: stopped }), 'aborted', 'get');
      await assertKind(store.put(key('a'), text('second'), { signal: stopped }), 'aborted', 'put');
      await assertKind(store.delete(key('a'), { signal: stopped }), 'aborted', 'delete');
      await assertKind(listAll(store, key(''), stopped), 'aborted', 'list');
      assert.equal(Buffer.from(await bytesOf(store, key('a'), signal)).toString(), 'first');
    },
  },
  {
    name: 'a put that is stopped half-way leaves the former object or the whole new one',
    async run(store, { key, signal }) {
      const former = pattern(1000, 2);
      const next = pattern(8 * 2 ** 20, 3);
      await store.put(key('a'), former, { signal });
      for (let turns = 0; turns < 24; turns += 3) {
        const stop = new AbortController();
        const put = store.put(key('a'), next, { signal: stop.signal });
        put.catch(() => {});
        for (let passed = 0; passed < turns; passed++) await turn();
        stop.abort();
        const done = await put.then(
          () => true,
          (error: unknown) => assertKind(Promise.reject(error), 'aborted', 'put').then(() => false),
        );
        const bytes = await bytesOf(store, key('a'), signal);
        if (done || bytes.byteLength === next.byteLength) assertSameBytes(bytes, next, 'the new object');
        else assertSameBytes(bytes, former, 'the former object');
        await store.put(key('a'), former, { signal });
      }
      assert.equal(await listAll(store, key(''), signal), 1, 'nothing else is left behind');
    },
  },
  {
    name: 'wrong credentials: denied',
    applies: ({ openDenied }) => openDenied !== undefined,
    async run(_store, { harness, key, signal }) {
      const denied = await harness.openDenied?.();
      assert.ok(denied);
      await assertKind(denied.get(key('a'), { signal }), 'denied', 'get');
      await assertKind(denied.put(key('a'), text('x'), { signal }), 'denied', 'put');
      await assertKind(listAll(denied, key(''), signal), 'denied', 'list');
      await denied.close?.();
    },
  },
  {
    name: 'an endpoint that nobody answers: unavailable',
    applies: ({ openDead }) => openDead !== undefined,
    async run(_store, { harness, key, signal }) {
      const dead = await harness.openDead?.();
      assert.ok(dead);
      await assertKind(dead.get(key('a'), { signal }), 'unavailable', 'get');
      await assertKind(dead.put(key('a'), text('x'), { signal }), 'unavailable', 'put');
      await assertKind(dead.delete(key('a'), { signal }), 'unavailable', 'delete');
      await assertKind(listAll(dead, key(''), signal), 'unavailable', 'list');
      await dead.close?.();
    },
  },
  {
    name: 'close ends without an error',
    async run(store, { harness, key, signal }) {
      await store.put(key('a'), text('x'), { signal });
      const other = await harness.open();
      await bytesOf(other, key('a'), signal);
      if (other !== store) await other.close?.();
    },
  },
];
