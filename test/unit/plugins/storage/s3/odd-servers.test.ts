import { strict as assert } from 'node:assert';
import { assertKind, FakeClock } from 'kongfallback/testing';
import { afterEach, describe, test } from 'vitest';
import { Outside } from '../../../../../src/resilience/index.ts';
import { GuardedStore } from '../../../../../src/snapshot/guarded-store.ts';
import { probeConditions } from '../../../../../src/snapshot/store-probe.ts';
import { S3Double, type S3DoubleOptions, WRITER } from '../../../../s3/double.ts';
import { closeStores, openStore } from './opened-stores.ts';

const { signal } = new AbortController();
const text = (value: string) => new TextEncoder().encode(value);
let double: S3Double;
afterEach(async () => {
  await closeStores();
  await double.close();
});

async function open(options: S3DoubleOptions) {
  double = await new S3Double(options).start();
  return openStore({ bucket: double.bucket, endpoint: double.endpoint, ...WRITER });
}

async function probe(options: S3DoubleOptions) {
  const clock = new FakeClock();
  const outside = new Outside(clock, () => 0);
  const capabilities = { conditionalPut: true };
  const store = new GuardedStore({
    id: 's3',
    store: await open(options),
    prefix: '',
    capabilities,
    outside,
    clock,
  });
  return probeConditions(store, { random: () => 0.5, signal });
}

describe('the probe', () => {
  test.each<[string, S3DoubleOptions, RegExp]>([
    ['ignores conditions', { ignoreConditions: true }, /an existing object was overwritten/],
    ['inverts If-None-Match', { invertConditions: true }, /refused as if it were there/],
  ])('notices a server that %s', async (_, options, reason) => {
    const found = await probe(options);
    assert.equal(found.conditionalPut, false);
    assert.match(found.reason ?? '', reason);
    assert.equal(double.objects.size, 0, 'and leaves nothing behind');
  });

  test.each<[string, S3DoubleOptions]>([
    ['412', {}],
    ['304, as MinIO before 2024', { brokenConditionStatus: 304 }],
  ])('is content with a server that refuses with %s', async (_, options) => {
    assert.deepEqual((await probe(options)).reason, undefined);
  });
});

describe('409 and 412', () => {
  test('409 means try again: nothing was decided, and the same write may succeed', async () => {
    const store = await open({});
    double.faults = [{ on: 'put', times: 1, act: { status: 409, code: 'ConditionalRequestConflict' } }];
    const error = await assertKind(
      store.put('a', text('x'), { ifAbsent: true, signal }),
      'unavailable',
      'put',
    );
    assert.equal((error as { retryAfterMs?: number }).retryAfterMs, 200);
    await store.put('a', text('x'), { ifAbsent: true, signal });
    assert.equal(double.count('put'), 2);
  });

  test('412 means lost: the same write never succeeds', async () => {
    const store = await open({});
    await store.put('a', text('theirs'), { signal });
    await assertKind(store.put('a', text('x'), { ifAbsent: true, signal }), 'conflict', 'put');
    await assertKind(store.put('a', text('x'), { ifMatch: '"stale"', signal }), 'conflict', 'put');
    assert.equal(double.objects.get('a')?.bytes.toString(), 'theirs');
    assert.equal(double.count('put'), 3, 'one request each');
  });

  test('409 to a write whose answer got lost before: read back by the core, never overwritten here', async () => {
    const store = await open({});
    double.faults = [
      { on: 'put', times: 1, when: 'after-effect', act: { status: 409, code: 'OperationAborted' } },
    ];
    await assertKind(store.put('a', text('x'), { ifAbsent: true, signal }), 'unavailable', 'put');
    await assertKind(store.put('a', text('x'), { ifAbsent: true, signal }), 'conflict', 'put again');
    assert.equal(double.count('put'), 2);
  });
});
