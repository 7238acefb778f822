import { strict as assert } from 'node:assert';
import { assertSameBytes, drain, pattern } from './bytes.ts';
import type { StorageCase } from './storage-case.ts';
import { bytesOf, fetched, text } from './stored.ts';

export const objectCases: readonly StorageCase[] = [
  {
    name: 'a missing object is undefined, also below a missing folder',
    async run(store, { key, signal }) {
      await store.put(key('there'), text('x'), { signal });
      assert.equal(await store.get(key('missing'), { signal }), undefined);
      assert.equal(await store.get(key('missing/deep/down'), { signal }), undefined);
      assert.equal(await store.get(key('missing'), { ifNoneMatch: '"x"', signal }), undefined);
    },
  },
  {
    name: 'the bytes come back exactly: none, one, every value, 8 MiB',
    async run(store, { key, signal }) {
      const every = Uint8Array.from({ length: 256 }, (_, value) => value);
      for (const body of [new Uint8Array(0), text('x'), every, pattern(8 * 2 ** 20)]) {
        const name = key(`bytes-${body.byteLength}`);
        await store.put(name, body, { signal });
        assertSameBytes(await bytesOf(store, name, signal), body, name);
      }
    },
  },
  {
    name: 'a put without condition creates and replaces; the ETag changes with the bytes',
    async run(store, { key, signal }) {
      const first = await store.put(key('a'), text('first'), { signal });
      const second = await store.put(key('a'), text('other'), { signal });
      assert.notEqual(first.etag, second.etag, 'another ETag for other bytes of the same length');
      const found = await fetched(store, key('a'), signal);
      assert.equal(found.etag, second.etag, "the ETag of a get is the last put's");
      assert.equal(Buffer.from(await drain(found.body)).toString(), 'other');
    },
  },
  {
    name: "ifNoneMatch: 'not-modified' for the current version only",
    async run(store, { key, signal }) {
      const first = await store.put(key('a'), text('first'), { signal });
      assert.equal(await store.get(key('a'), { ifNoneMatch: first.etag, signal }), 'not-modified');
      await store.put(key('a'), text('second'), { signal });
      const found = await store.get(key('a'), { ifNoneMatch: first.etag, signal });
      assert.ok(found !== undefined && found !== 'not-modified', 'the newer version is answered');
      assert.equal(Buffer.from(await drain(found.body)).toString(), 'second');
    },
  },
  {
    name: 'keys with dots, dashes, 400 bytes, and one that begins like another',
    async run(store, { key, signal }) {
      const long = Array.from({ length: 4 }, (_, part) => `${part}`.repeat(95)).join('/');
      const names = ['.hidden', 'a..b', '...', '-', '_', 'UPPER-3.9.1', 'a', 'a.b', 'a-b', long];
      for (const name of names) await store.put(key(name), text(`of ${name}`), { signal });
      for (const name of names) {
        assert.equal(Buffer.from(await bytesOf(store, key(name), signal)).toString(), `of ${name}`);
      }
    },
  },
  {
    name: 'buffers are not shared with the caller',
    async run(store, { key, signal }) {
      const body = Buffer.from('caller');
      await store.put(key('a'), body, { signal });
      assert.equal(Buffer.from(body).toString(), 'caller', 'a put does not change its input');
      body.fill(0);
      const first = await bytesOf(store, key('a'), signal);
      assert.equal(Buffer.from(first).toString(), 'caller', 'what was put is kept, not what became of it');
      for await (const chunk of (await fetched(store, key('a'), signal)).body) chunk.fill(0);
      assert.equal(Buffer.from(await bytesOf(store, key('a'), signal)).toString(), 'caller');
    },
  },
  {
    name: 'delete removes, and a missing object is no error',
    async run(store, { key, signal }) {
      await store.put(key('a'), text('x'), { signal });
      await store.put(key('a-neighbour'), text('y'), { signal });
      await store.delete(key('a'), { signal });
      assert.equal(await store.get(key('a'), { signal }), undefined);
      await store.delete(key('a'), { signal });
      await store.delete(key('never/was'), { signal });
      assert.equal(Buffer.from(await bytesOf(store, key('a-neighbour'), signal)).toString(), 'y');
    },
  },
  {
    name: 'another instance on the same place sees the same',
    async run(store, { harness, key, signal }) {
      const written = await store.put(key('a'), text('shared'), { signal });
      const other = await harness.open();
      try {
        const found = await fetched(other, key('a'), signal);
        assert.equal(found.etag, written.etag);
        assert.equal(Buffer.from(await drain(found.body)).toString(), 'shared');
      } finally {
        if (other !== store) await other.close?.();
      }
    },
  },
  {
    name: 'times, where given, are valid dates',
    async run(store, { key, signal }) {
      const written = await store.put(key('a'), text('x'), { signal });
      const found = await fetched(store, key('a'), signal);
      await drain(found.body);
      for (const time of [written.serverTime, found.serverTime, found.modifiedAt]) {
        if (time === undefined) continue;
        assert.ok(time instanceof Date && Number.isFinite(time.getTime()), `a valid date: ${String(time)}`);
      }
    },
  },
];
