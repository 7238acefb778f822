import { describe, expect, it } from 'vitest';
import { FallbackError } from '../../../src/errors/index.ts';
import { Outside, Stopwatch, withDeadline } from '../../../src/resilience/index.ts';
import { FakeClock } from '../../../src/testing/index.ts';

const never = new AbortController().signal;
const unavailable = (retryAfterMs?: number) =>
  new FallbackError('unavailable', 'KF_TEST', 'gone', {
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });

describe('deadline', () => {
  it('ends the wait even when the work ignores its signal, and leaves no timer', async () => {
    const clock = new FakeClock();
    let seen: AbortSignal | undefined;
    const call = withDeadline(clock, 5000, never, 'get', (signal) => {
      seen = signal;
      return new Promise<never>(() => {});
    });
    const settled = expect(call).rejects.toMatchObject({ kind: 'unavailable', code: 'KF_DEADLINE_EXCEEDED' });
    await clock.advance(5000);
    await settled;
    expect(seen?.aborted).toBe(true);
    expect(clock.sleeping).toBe(0);
  });

  it('leaves no timer after a success', async () => {
    const clock = new FakeClock();
    expect(await withDeadline(clock, 5000, never, 'get', async () => 7)).toBe(7);
    await clock.advance(0);
    expect(clock.sleeping).toBe(0);
  });

  it("passes the caller's abort on, and does not start when it has fired already", async () => {
    const clock = new FakeClock();
    const stop = new AbortController();
    const call = withDeadline(clock, 5000, stop.signal, 'get', () => new Promise<never>(() => {}));
    stop.abort();
    await expect(call).rejects.toMatchObject({ kind: 'aborted' });
    let started = false;
    const late = withDeadline(clock, 5000, stop.signal, 'get', async () => {
      started = true;
    });
    await expect(late).rejects.toMatchObject({ kind: 'aborted' });
    expect(started).toBe(false);
  });
});

describe('outside', () => {
  const outside = (clock: FakeClock) => new Outside(clock, () => 0.5);
  const retry = { attempts: 4, delayMs: 100, maxDelayMs: 1000 };

  it('repeats what is unavailable, with pauses that double, and ends with the last error', async () => {
    const clock = new FakeClock({ runs: true });
    const at: number[] = [];
    const call = outside(clock).call('get', { signal: never, deadlineMs: 1e9, retry }, async () => {
      at.push(clock.monotonic());
      throw unavailable();
    });
    await expect(call).rejects.toMatchObject({ code: 'KF_TEST' });
    expect(at.map((time) => time - (at[0] ?? 0))).toEqual([0, 50, 150, 350]);
  });

  it('waits as long as the other side asks, up to the longest pause', async () => {
    const clock = new FakeClock({ runs: true });
    const asked = [700, 90_000];
    const at: number[] = [];
    await outside(clock).call('get', { signal: never, deadlineMs: 1e9, retry }, async () => {
      at.push(clock.monotonic());
      const next = asked.shift();
      if (next !== undefined) throw unavailable(next);
    });
    expect(at.map((time) => time - (at[0] ?? 0))).toEqual([0, 700, 1700]);
  });

  it.each(['denied', 'corrupt', 'conflict', 'invalid', 'unsupported'] as const)(
    'does not repeat %s',
    async (kind) => {
      let calls = 0;
      const call = outside(new FakeClock()).call(
        'get',
        { signal: never, deadlineMs: 1000, retry },
        async () => {
          calls++;
          throw new FallbackError(kind, 'KF_TEST', 'no');
        },
      );
      await expect(call).rejects.toMatchObject({ kind });
      expect(calls).toBe(1);
    },
  );

  it('stops repeating when its caller stops', async () => {
    const clock = new FakeClock();
    const stop = new AbortController();
    let calls = 0;
    const call = outside(clock).call('get', { signal: stop.signal, deadlineMs: 1000, retry }, async () => {
      calls++;
      throw unavailable();
    });
    const settled = expect(call).rejects.toMatchObject({ kind: 'aborted' });
    await clock.advance(10);
    stop.abort();
    await settled;
    expect(calls).toBe(1);
  });
});

describe('stopwatch', () => {
  it('tells the milliseconds of each step and of all', () => {
    const clock = new FakeClock();
    const stopwatch = new Stopwatch(clock);
    clock.jump(30);
    stopwatch.lap('a');
    clock.jump(12);
    stopwatch.lap('b');
    expect(stopwatch.laps()).toEqual({ a: 30, b: 12, totalMs: 42 });
  });
});
