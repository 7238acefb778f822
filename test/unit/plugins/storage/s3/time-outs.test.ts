import { strict as assert } from 'node:assert';
import type { ObjectStore } from 'kongfallback/plugin';
import { assertKind, drain, FakeClock } from 'kongfallback/testing';
import { afterEach, describe, test } from 'vitest';
import { Outside } from '../../../../../src/resilience/index.ts';
import { GuardedStore } from '../../../../../src/snapshot/guarded-store.ts';
import { WRITER } from '../../../../s3/double.ts';
import { RawServer } from '../../../../s3/raw-server.ts';
import { closeStores, openStore, until } from './opened-stores.ts';

const never = new AbortController().signal;
const HEAD = 'HTTP/1.1 200 OK\r\nETag: "1"\r\nContent-Type: application/xml\r\n';

let server: RawServer;
afterEach(async () => {
  await closeStores();
  await server.close();
});

async function open(says: string | undefined, more: Record<string, unknown> = {}): Promise<ObjectStore> {
  server = await new RawServer(says).start();
  return openStore({ endpoint: server.endpoint, ...WRITER, ...more });
}

const calls: Readonly<Record<string, (store: ObjectStore, signal: AbortSignal) => Promise<unknown>>> = {
  get: async (store, signal) => {
    const found = await store.get('a', { signal });
    if (found !== undefined && found !== 'not-modified') await drain(found.body);
  },
  put: (store, signal) => store.put('a', new Uint8Array(10), { ifAbsent: true, signal }),
  'put of 3 MiB': (store, signal) => store.put('a', new Uint8Array(3 * 2 ** 20), { signal }),
  list: async (store, signal) => {
    for await (const _ of store.list('', { signal }));
  },
  delete: (store, signal) => store.delete('a', { signal }),
};

/** What the peer does, and what it says. */
const peers: Readonly<Record<string, string | undefined>> = {
  'accepts and never answers': undefined,
  'stalls in the status line': 'HTTP/1.1 20',
  'stalls in the headers': `${HEAD}Content-Length: 1000`,
  'answers headers, then stalls': `${HEAD}Content-Length: 1000\r\n\r\n`,
  'stalls in an error document': 'HTTP/1.1 500 No\r\nContent-Length: 1000\r\n\r\n<Error><Code>Inter',
  'stalls in a chunk': `${HEAD}Transfer-Encoding: chunked\r\n\r\nff\r\n<?xml`,
};

// A put's answer has no body that is waited for, a delete's neither.
const settles = (call: string, peer: string) =>
  (call.startsWith('put') || call === 'delete') && /answers headers|in a chunk/.test(peer);

for (const [call, ask] of Object.entries(calls)) {
  describe(call, () => {
    for (const [peer, says] of Object.entries(peers)) {
      if (settles(call, peer)) continue;

      test(`to a server that ${peer}: ends in time, and frees the connection`, async () => {
        const store = await open(says, { requestTimeoutSeconds: 0.15, idleTimeoutSeconds: 0.15 });
        await assertKind(ask(store, never), 'unavailable', call);
        await until(() => server.connections === 0);
      });

      test(`to a server that ${peer}: ends with the signal, and frees the connection`, async () => {
        const store = await open(says);
        const stop = new AbortController();
        const asked = assertKind(ask(store, stop.signal), 'aborted', call);
        await server.heard();
        await new Promise<void>((done) => setImmediate(done));
        stop.abort();
        await asked;
        await until(() => server.connections === 0);
      });
    }
  });
}

describe('a server that trickles a byte at a time', () => {
  const trickles: readonly (readonly [string, string])[] = [
    ['get', `${HEAD}Content-Length: 100000\r\n\r\n`],
    ['list', `${HEAD}Content-Length: 100000\r\n\r\n`],
    ['put', 'HTTP/1.1 500 No\r\nContent-Length: 100000\r\n\r\n'],
    ['delete', 'HTTP/1.1 500 No\r\nContent-Length: 100000\r\n\r\n'],
  ];
  for (const [call, says] of trickles) {
    test(`${call}: ends at the core's deadline, whatever still arrives`, async () => {
      const clock = new FakeClock();
      const plugin = await open(says);
      const store = new GuardedStore({
        id: 's3',
        store: plugin,
        prefix: '',
        capabilities: { conditionalPut: true },
        outside: new Outside(clock, () => 0),
        clock,
        timings: { requestMs: 10_000, retry: { attempts: 1, delayMs: 0, maxDelayMs: 0 } },
      });
      const asks: Record<string, () => Promise<unknown>> = {
        get: () => store.read('a', { maxBytes: 1_000_000, signal: never }),
        put: () => store.put('a', new Uint8Array(0), { ifAbsent: true, signal: never }),
        delete: () => store.delete('a', { signal: never }),
        list: async () => {
          for await (const _ of store.list('', { signal: never }));
        },
      };
      const asked = assertKind(asks[call]?.() ?? Promise.resolve(), 'unavailable', call);
      await server.heard();
      for (let second = 0; second < 12; second++) {
        server.drip();
        await clock.advance(1_000);
      }
      await asked;
      await until(() => server.connections === 0);
      assert.equal(clock.sleeping, 0);
    });
  }
});

test('an upload that nobody reads ends in time', async () => {
  const store = await open(undefined, { requestTimeoutSeconds: 0.3 });
  const put = store.put('a', new Uint8Array(64 * 2 ** 20), { signal: never });
  await assertKind(put, 'unavailable', 'put');
  await until(() => server.connections === 0);
});
