import { strict as assert } from 'node:assert';
import { assertKind, FakeClock } from 'kongfallback/testing';
import { afterEach, describe, test } from 'vitest';
import { Pace } from '../../../../../plugins/storage/s3/pace.ts';
import { Outside } from '../../../../../src/resilience/index.ts';
import { GuardedStore } from '../../../../../src/snapshot/guarded-store.ts';
import { probeConditions } from '../../../../../src/snapshot/store-probe.ts';
import { S3Double, WRITER } from '../../../../s3/double.ts';
import { closeStores, openStore } from './opened-stores.ts';

const { signal } = new AbortController();
afterEach(closeStores);

describe('writes of one key', () => {
  const record = (pace: Pace, clock: FakeClock) => {
    const begun: string[] = [];
    const write = (key: string, takesMs = 0) =>
      pace.run(key, signal, async () => {
        begun.push(`${key}@${clock.monotonic() - 1_000}`);
        if (takesMs > 0) await clock.sleep(takesMs);
      });
    return { begun, write };
  };

  test('keep their distance, counted from the answer; other keys do not wait', async () => {
    const clock = new FakeClock();
    const { begun, write } = record(new Pace(1_000, clock), clock);
    const first = write('head', 300);
    await clock.advance(300);
    await first;
    const second = write('head');
    await write('other');
    await clock.advance(999);
    assert.deepEqual(begun, ['head@0', 'other@300']);
    await clock.advance(1);
    await second;
    assert.deepEqual(begun, ['head@0', 'other@300', 'head@1300']);
  });

  test('that wait at the same moment go one after the other', async () => {
    const clock = new FakeClock();
    const { begun, write } = record(new Pace(1_000, clock), clock);
    const all = Promise.all([write('head'), write('head'), write('head')]);
    await clock.advance(5_000);
    await all;
    assert.deepEqual(begun, ['head@0', 'head@1000', 'head@2000']);
  });

  test('keep their distance after one that failed', async () => {
    const clock = new FakeClock();
    const pace = new Pace(1_000, clock);
    await assert.rejects(pace.run('head', signal, () => Promise.reject(new Error('lost'))));
    const { begun, write } = record(pace, clock);
    const next = write('head');
    await clock.advance(999);
    assert.deepEqual(begun, []);
    await clock.advance(1);
    await next;
  });

  test('stop waiting with their signal', async () => {
    const clock = new FakeClock();
    const pace = new Pace(1_000, clock);
    await pace.run('head', signal, async () => {});
    const stop = new AbortController();
    const waiting = assertKind(
      pace.run('head', stop.signal, async () => assert.fail('written')),
      'aborted',
      'put',
    );
    stop.abort();
    await waiting;
    assert.equal(clock.sleeping, 0);
  });

  test('never wait where there is no interval', async () => {
    const clock = new FakeClock();
    const { begun, write } = record(new Pace(0, clock), clock);
    await write('head');
    await write('head');
    assert.deepEqual(begun, ['head@0', 'head@0']);
  });
});

describe('a store that takes one write per second and key', () => {
  const probe = async (given: Record<string, unknown>) => {
    const clock = new FakeClock({ runs: true });
    // The server's clock goes with ours.
    const double = await new S3Double({
      writeIntervalMs: 1_000,
      now: () => Date.now() + clock.monotonic(),
    }).start();
    const { bucket, endpoint } = double;
    const plugin = await openStore({ bucket, endpoint, ...WRITER, ...given }, { clock });
    const store = new GuardedStore({
      id: 's3',
      store: plugin,
      prefix: '',
      capabilities: { conditionalPut: true },
      outside: new Outside(new FakeClock(), () => 0),
      clock: new FakeClock(),
    });
    try {
      return await probeConditions(store, { random: () => 0.5, signal });
    } finally {
      await double.close();
    }
  };

  test('is found to keep conditions, at its own pace', async () => {
    const { conditionalPut, counts } = await probe({ writeIntervalSeconds: 1 });
    assert.equal(conditionalPut, true);
    assert.equal(counts.put, 4);
  });

  test('at any pace: unavailable, with what to set', async () => {
    const error = await assertKind(probe({}), 'unavailable', 'probe');
    assert.match((error as { hint?: string }).hint ?? '', /writeIntervalSeconds/);
    assert.equal((error as { retryAfterMs?: number }).retryAfterMs, 1_000);
  });
});
