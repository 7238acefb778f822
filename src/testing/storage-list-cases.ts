import { strict as assert } from 'node:assert';
import type { ObjectInfo, ObjectStore } from '../plugin/index.ts';
import { turn } from './harness.ts';
import type { StorageCase } from './storage-case.ts';
import { text } from './stored.ts';

async function all(store: ObjectStore, prefix: string, signal: AbortSignal): Promise<ObjectInfo[]> {
  const found: ObjectInfo[] = [];
  for await (const info of store.list(prefix, { signal })) found.push(info);
  return found;
}

export const listCases: readonly StorageCase[] = [
  {
    name: 'an empty place lists nothing',
    async run(store, { key, signal }) {
      await store.put(key('other'), text('x'), { signal });
      assert.deepEqual(await all(store, key('nothing/'), signal), []);
      assert.deepEqual(await all(store, key('others'), signal), []);
    },
  },
  {
    name: 'list: exactly the keys with the prefix, in ascending order, with their sizes',
    async run(store, { key, signal }) {
      const names = ['b/2', 'b/10', 'b-1', 'b', 'b.x', 'a/deep/er', 'c', 'ba', 'b/1/x'];
      // "b" and "b/…" cannot both be on stores that are file systems.
      const written = names.filter((name) => name !== 'b');
      for (const name of written) await store.put(key(name), text(name), { signal });
      const sorted = written.map(key).sort();
      const listed = await all(store, key(''), signal);
      assert.deepEqual(
        listed.map((info) => info.key),
        sorted,
      );
      for (const { key: found, size } of listed) assert.equal(size, found.length - key('').length, found);
      for (const prefix of ['b', 'b/', 'b/1', 'a/deep/', 'c', 'x']) {
        assert.deepEqual(
          (await all(store, key(prefix), signal)).map((info) => info.key),
          sorted.filter((name) => name.startsWith(key(prefix))),
          `prefix ${prefix}`,
        );
      }
      for (const { modifiedAt } of listed) {
        assert.ok(modifiedAt === undefined || Number.isFinite(modifiedAt.getTime()), 'a valid date');
      }
    },
  },
  {
    name: 'list goes on over pages, and can be left at any point',
    async run(store, { harness, key, signal }) {
      const count = harness.moreThanOnePage ?? 30;
      const keys = Array.from({ length: count }, (_, index) => key(`page/${String(index).padStart(6, '0')}`));
      for (let at = 0; at < count; at += 20) {
        const batch = keys.slice(at, at + 20);
        await Promise.all(batch.map((name) => store.put(name, text('x'), { signal })));
      }
      assert.deepEqual(
        (await all(store, key('page/'), signal)).map((info) => info.key),
        keys,
      );
      for await (const info of store.list(key('page/'), { signal })) {
        assert.equal(info.key, keys[0]);
        break;
      }
    },
  },
  {
    name: 'list beside writes: what was there all along is listed once, what is half written never',
    async run(store, { key, signal }) {
      const stable = Array.from({ length: 10 }, (_, index) => key(`mixed/stable-${index}`));
      for (const name of stable) await store.put(name, text('x'), { signal });
      let writing = true;
      const writer = (async () => {
        for (let round = 0; round < 20; round++) {
          await store.put(key(`mixed/new-${round}`), new Uint8Array(1000), { signal });
          if (round % 2 === 0) await store.delete(key(`mixed/new-${round}`), { signal });
        }
      })().finally(() => {
        writing = false;
      });
      do {
        const listed = await all(store, key('mixed/'), signal);
        const keys = listed.map((info) => info.key);
        assert.equal(new Set(keys).size, keys.length, 'no key twice');
        for (const name of stable) assert.ok(keys.includes(name), `${name} is listed`);
        for (const info of listed) {
          assert.match(info.key.slice(key('mixed/').length), /^(stable|new)-\d+$/, 'no temporary names');
          assert.ok(info.size === 1 || info.size === 1000, `${info.key} has its whole size`);
        }
        await turn();
      } while (writing);
      await writer;
    },
  },
];
