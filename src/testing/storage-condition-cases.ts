import { strict as assert } from 'node:assert';
import type { ObjectStore, PutOptions } from '../plugin/index.ts';
import { assertKind } from './assert-kind.ts';
import { drain } from './bytes.ts';
import { turn } from './harness.ts';
import type { StorageCase, StoragePlace } from './storage-case.ts';
import { bytesOf, fetched, text } from './stored.ts';

const WRITERS = 16;

const claimed: StorageCase['applies'] = ({ capabilities }) => capabilities.conditionalPut === true;
const unclaimed: StorageCase['applies'] = ({ capabilities }) => capabilities.conditionalPut !== true;

export const conditionCases: readonly StorageCase[] = [
  {
    name: 'conditions that are not claimed are refused as unsupported, never ignored',
    applies: unclaimed,
    async run(store, { key, signal }) {
      const { etag } = await store.put(key('a'), text('first'), { signal });
      for (const condition of [{ ifAbsent: true }, { ifMatch: etag }, { ifMatch: '"stale"' }]) {
        await assertKind(store.put(key('a'), text('second'), { ...condition, signal }), 'unsupported', 'put');
        await assertKind(store.put(key('b'), text('second'), { ...condition, signal }), 'unsupported', 'put');
      }
      assert.equal(Buffer.from(await bytesOf(store, key('a'), signal)).toString(), 'first');
      assert.equal(await store.get(key('b'), { signal }), undefined);
    },
  },
  {
    name: 'ifAbsent creates, and never replaces',
    applies: claimed,
    async run(store, { key, signal }) {
      const { etag } = await store.put(key('a/b'), text('first'), { ifAbsent: true, signal });
      for (const body of ['second', 'first']) {
        await assertKind(
          store.put(key('a/b'), text(body), { ifAbsent: true, signal }),
          'conflict',
          'put over another',
        );
      }
      const found = await fetched(store, key('a/b'), signal);
      assert.equal(found.etag, etag, 'nothing was written');
      assert.equal(Buffer.from(await drain(found.body)).toString(), 'first');
      await store.delete(key('a/b'), { signal });
      await store.put(key('a/b'), text('after a delete'), { ifAbsent: true, signal });
    },
  },
  {
    name: 'ifMatch replaces the current version only',
    applies: claimed,
    async run(store, { key, signal }) {
      const put = (body: string, options: Omit<PutOptions, 'signal'>) =>
        store.put(key('a'), text(body), { ...options, signal });
      await assertKind(put('x', { ifMatch: '"none"' }), 'conflict', 'ifMatch without an object');
      assert.equal(await store.get(key('a'), { signal }), undefined, 'nothing was created');
      const first = await put('A', { ifAbsent: true });
      const second = await put('B', { ifMatch: first.etag });
      await assertKind(put('C', { ifMatch: first.etag }), 'conflict', 'a stale ETag');
      assert.equal(Buffer.from(await bytesOf(store, key('a'), signal)).toString(), 'B');
      const third = await put('A', { ifMatch: second.etag });
      await put('B', { ifMatch: third.etag });
      assert.equal(Buffer.from(await bytesOf(store, key('a'), signal)).toString(), 'B');
      await store.delete(key('a'), { signal });
      await assertKind(put('C', { ifMatch: third.etag }), 'conflict', 'a deleted object');
    },
  },
  {
    name: `ifAbsent under a race of ${WRITERS}: exactly one wins`,
    applies: claimed,
    async run(store, place) {
      for (let round = 0; round < 5; round++) {
        await race(store, place, `race-${round}`, { ifAbsent: true });
      }
    },
  },
  {
    name: `ifMatch under a race of ${WRITERS}: exactly one wins`,
    applies: claimed,
    async run(store, place) {
      const { key, signal } = place;
      let { etag } = await store.put(key('race'), text('start'), { signal });
      for (let round = 0; round < 5; round++) {
        etag = await race(store, place, 'race', { ifMatch: etag }, round);
      }
    },
  },
  {
    name: 'a counter that many writers raise by read and ifMatch loses no step',
    applies: claimed,
    async run(store, { key, signal }) {
      await store.put(key('counter'), text('0'), { signal });
      const raise = async () => {
        for (let raised = 0; raised < 5; ) {
          const { body, etag } = await fetched(store, key('counter'), signal);
          const value = Buffer.from(await drain(body)).toString();
          const next = text(String(Number(value) + 1));
          try {
            await store.put(key('counter'), next, { ifMatch: etag, signal });
            raised++;
          } catch (error) {
            await assertKind(Promise.reject(error), ['conflict', 'unavailable'], 'a lost race');
            await turn();
          }
        }
      };
      await Promise.all(Array.from({ length: 4 }, raise));
      assert.equal(Buffer.from(await bytesOf(store, key('counter'), signal)).toString(), '20');
    },
  },
];

/** The winner's ETag. Losers end in `conflict`, or `unavailable` where a store asks to try again. */
async function race(
  store: ObjectStore,
  { harness, key, signal }: StoragePlace,
  name: string,
  condition: { readonly ifAbsent: true } | { readonly ifMatch: string },
  round = 0,
): Promise<string> {
  // Other bytes in each round: where ETags are digests, the bytes of a former round are its version again.
  const body = (writer: number) => `round ${round}, writer ${writer}`;
  const other = await harness.open();
  const results = await Promise.allSettled(
    Array.from({ length: WRITERS }, (_, writer) =>
      (writer % 2 === 0 ? store : other).put(key(name), text(body(writer)), { ...condition, signal }),
    ),
  );
  if (other !== store) await other.close?.();
  const winners = results.flatMap((result, writer) =>
    result.status === 'fulfilled' ? [{ writer, etag: result.value.etag }] : [],
  );
  for (const result of results) {
    if (result.status === 'fulfilled') continue;
    await assertKind(Promise.reject(result.reason), ['conflict', 'unavailable'], 'a loser');
  }
  assert.equal(winners.length, 1, `${winners.length} of ${WRITERS} writers were told that they won`);
  const [winner] = winners;
  assert.ok(winner);
  assert.equal(Buffer.from(await bytesOf(store, key(name), signal)).toString(), body(winner.writer));
  return winner.etag;
}
