import { strict as assert } from 'node:assert';
import type { ObjectStore, PutOptions } from 'kongfallback/plugin';
import { FakeClock, pluginContext } from 'kongfallback/testing';
import { test } from 'vitest';
import memory from '../../../plugins/storage/memory/index.ts';
import { Outside } from '../../../src/resilience/index.ts';
import { GuardedStore } from '../../../src/snapshot/guarded-store.ts';
import { probeConditions } from '../../../src/snapshot/store-probe.ts';

const signal = new AbortController().signal;
const random = () => 0.5;

function guarded(store: ObjectStore, conditionalPut = true): GuardedStore {
  const clock = new FakeClock();
  const outside = new Outside(clock, random);
  return new GuardedStore({
    id: 'probed',
    store,
    prefix: 'p',
    capabilities: { conditionalPut },
    outside,
    clock,
  });
}

/** A memory store that treats conditions in its own way. */
async function changed(change: (options: PutOptions) => Partial<PutOptions>): Promise<ObjectStore> {
  const inner = await memory.create({}, pluginContext());
  return {
    get: (key, options) => inner.get(key, options),
    put: (key, body, options) => inner.put(key, body, { signal: options.signal, ...change(options) }),
    list: (prefix, options) => inner.list(prefix, options),
    delete: (key, options) => inner.delete(key, options),
  };
}

async function keysOf(store: ObjectStore): Promise<string[]> {
  const keys: string[] = [];
  for await (const info of store.list('', { signal })) keys.push(info.key);
  return keys;
}

test('a store that keeps both conditions: true, nothing left behind, requests counted apart', async () => {
  const inner = await memory.create({}, pluginContext());
  const store = guarded(inner);
  const { conditionalPut, counts, reason } = await probeConditions(store, { random, signal });
  assert.deepEqual([conditionalPut, reason], [true, undefined]);
  assert.deepEqual([counts.put, counts.delete, counts.get], [4, 1, 0]);
  assert.equal(store.counts.requests, 0);
  assert.deepEqual(await keysOf(inner), []);
});

const liars: readonly (readonly [string, (options: PutOptions) => Partial<PutOptions>, RegExp])[] = [
  ['ignores every condition', () => ({}), /existing object was overwritten/],
  ['ignores ifAbsent', ({ ifMatch }) => (ifMatch ? { ifMatch } : {}), /existing object was overwritten/],
  ['ignores ifMatch', ({ ifAbsent }) => (ifAbsent ? { ifAbsent } : {}), /newer version was overwritten/],
  [
    'inverts ifAbsent',
    ({ ifAbsent }) => (ifAbsent ? { ifMatch: '"1"' } : {}),
    /creation of a new object was refused/,
  ],
  [
    'never takes an ifMatch',
    ({ ifAbsent, ifMatch }) => ({
      ...(ifAbsent && { ifAbsent }),
      ...(ifMatch && { ifMatch: `${ifMatch}x` }),
    }),
    /current version was refused/,
  ],
];
for (const [name, change, why] of liars) {
  test(`a store that ${name} is found out, and cleaned`, async () => {
    const inner = await changed(change);
    const { conditionalPut, reason } = await probeConditions(guarded(inner), { random, signal });
    assert.equal(conditionalPut, false);
    assert.match(reason ?? '', why);
    assert.deepEqual(await keysOf(inner), []);
  });
}

test('a store that does not claim conditions is not asked', async () => {
  const inner = await memory.create({}, pluginContext());
  const { conditionalPut, counts, reason } = await probeConditions(guarded(inner, false), { random, signal });
  assert.equal(conditionalPut, false);
  assert.match(reason ?? '', /does not claim/);
  assert.equal(counts.requests, 0);
});

test('a store that cannot be reached: its error, not a verdict', async () => {
  const inner = await changed(() => ({}));
  const away = { ...inner, put: () => Promise.reject(pluginContext().error('unavailable', 'away')) };
  await assert.rejects(probeConditions(guarded(away), { random, signal }), { kind: 'unavailable' });
});

test('a writer without the right to delete is no failure', async () => {
  const inner = await memory.create({}, pluginContext());
  const store = guarded({
    get: (key, options) => inner.get(key, options),
    put: (key, body, options) => inner.put(key, body, options),
    list: (prefix, options) => inner.list(prefix, options),
    delete: () => Promise.reject(pluginContext().error('denied', 'no')),
  });
  assert.equal((await probeConditions(store, { random, signal })).conditionalPut, true);
});
