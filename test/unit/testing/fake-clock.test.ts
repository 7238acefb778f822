import { strict as assert } from 'node:assert';
import { FakeClock } from 'kongfallback/testing';
import { test } from 'vitest';

test('sleepers wake in the order of their time, and may sleep again on the way', async () => {
  const clock = new FakeClock();
  const woken: string[] = [];
  const sleeper = async (name: string, ms: number) => {
    await clock.sleep(ms);
    woken.push(`${name} at ${clock.monotonic() - 1_000}`);
  };
  const again = sleeper('a', 30).then(() => sleeper('again', 20));
  const all = Promise.all([again, sleeper('b', 10), sleeper('late', 51)]);
  await clock.advance(50);
  assert.deepEqual(woken, ['b at 10', 'a at 30', 'again at 50']);
  assert.equal(clock.sleeping, 1);
  await clock.advance(1);
  await all;
  assert.equal(clock.sleeping, 0);
});

test('a sleeper whose signal fires rejects with kind aborted, and is forgotten', async () => {
  const clock = new FakeClock();
  const stop = new AbortController();
  const sleeping = clock.sleep(10, stop.signal);
  stop.abort();
  await assert.rejects(sleeping, { kind: 'aborted' });
  await assert.rejects(clock.sleep(10, stop.signal), { kind: 'aborted' });
  assert.equal(clock.sleeping, 0);
});

test('running by itself: an hour is over at once, by both clocks', async () => {
  const clock = new FakeClock({ runs: true, now: 5 });
  const before = clock.monotonic();
  await clock.sleep(3_600_000);
  assert.deepEqual([clock.now(), clock.monotonic() - before], [3_600_005, 3_600_000]);
});
