import { strict as assert } from 'node:assert';
import { drain, pattern } from './bytes.ts';
import { turn } from './harness.ts';
import type { StorageCase } from './storage-case.ts';
import { bytesOf, fetched, text } from './stored.ts';

const VERSION_BYTES = 262_144;

export const bodyCases: readonly StorageCase[] = [
  {
    name: 'leaving a body early frees it, and the store goes on',
    async run(store, { key, signal }) {
      await store.put(key('a'), pattern(4 * 2 ** 20), { signal });
      for (let round = 0; round < 60; round++) {
        for await (const chunk of (await fetched(store, key('a'), signal)).body) {
          assert.ok(chunk.byteLength > 0);
          break;
        }
      }
      assert.equal((await bytesOf(store, key('a'), signal)).byteLength, 4 * 2 ** 20);
    },
  },
  {
    name: 'a body whose signal fires ends soon',
    async run(store, { key, signal }) {
      await store.put(key('a'), pattern(8 * 2 ** 20), { signal });
      const stop = new AbortController();
      const { body } = await fetched(store, key('a'), stop.signal);
      stop.abort();
      // Bytes that are already here may still come, or an error, but nothing waits.
      await drain(body).catch(() => {});
      assert.equal((await bytesOf(store, key('a'), signal)).byteLength, 8 * 2 ** 20);
    },
  },
  {
    name: 'reads beside writes never mix two versions',
    async run(store, { key, signal }) {
      const version = (fill: number) => new Uint8Array(VERSION_BYTES).fill(fill);
      await store.put(key('a'), version(0), { signal });
      let writing = true;
      const writer = (async () => {
        for (let fill = 1; fill <= 20; fill++) await store.put(key('a'), version(fill), { signal });
      })().finally(() => {
        writing = false;
      });
      const fillOf = new Map<string, number>();
      const reader = async () => {
        do {
          const { body, etag } = await fetched(store, key('a'), signal);
          const bytes = await drain(body);
          assert.equal(bytes.byteLength, VERSION_BYTES, 'a whole version');
          const [fill] = bytes;
          assert.ok(fill !== undefined && bytes.every((byte) => byte === fill), 'one version');
          assert.equal(fillOf.get(etag) ?? fill, fill, 'an ETag stands for one version');
          fillOf.set(etag, fill);
          await turn();
        } while (writing);
      };
      await Promise.all([writer, reader(), reader(), reader()]);
      assert.equal((await bytesOf(store, key('a'), signal))[0], 20);
    },
  },
  {
    name: 'a body outlives the removal of its object, or ends in an error: it is never cut silently',
    async run(store, { key, signal }) {
      const size = 4 * 2 ** 20;
      await store.put(key('a'), pattern(size), { signal });
      const { body } = await fetched(store, key('a'), signal);
      await store.delete(key('a'), { signal });
      const length = await drain(body).then(
        (bytes) => bytes.byteLength,
        () => size,
      );
      assert.equal(length, size);
      await store.put(key('a'), text('again'), { signal });
    },
  },
];
