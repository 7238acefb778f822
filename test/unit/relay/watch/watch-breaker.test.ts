import { expect, test, vi } from 'vitest';
import { WatchBreaker } from '../../../../src/relay/watch/breaker.ts';
import { StablePeriod } from '../../../../src/relay/watch/stable-period.ts';

test('goes where it is told, and nowhere by itself', () => {
  const breaker = new WatchBreaker();
  const states = [breaker.state];
  for (const step of [
    'open',
    'open',
    'halfOpen',
    'halfOpen',
    'open',
    'halfOpen',
    'close',
    'close',
  ] as const) {
    breaker[step]();
    states.push(breaker.state);
  }
  const [open, half, closed] = ['open', 'half-open', 'closed'];
  expect(states).toEqual([closed, open, open, half, half, open, half, closed, closed]);
  breaker.shutdown();
});

test('leaves no timer behind', () => {
  vi.useFakeTimers();
  try {
    const breaker = new WatchBreaker();
    const timers = vi.getTimerCount();
    for (let n = 0; n < 20; n++) {
      breaker.open();
      breaker.halfOpen();
    }
    expect(vi.getTimerCount()).toBeLessThanOrEqual(timers + 1);
    breaker.shutdown();
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test('an outage that outlasts the longest timer keeps it open', () => {
  vi.useFakeTimers();
  try {
    const breaker = new WatchBreaker();
    breaker.open();
    vi.runOnlyPendingTimers();
    expect(breaker.state).toBe('open');
    breaker.shutdown();
  } finally {
    vi.useRealTimers();
  }
});

test('the period that brings it back doubles up to the longest', () => {
  const period = new StablePeriod(10_000, 35_000);
  const periods = [0, 1, 2].map((now) => {
    period.back(now);
    period.fell(now + 1);
    return period.ms;
  });
  expect(periods).toEqual([20_000, 35_000, 35_000]);
});

test('a first fall is no flapping', () => {
  const period = new StablePeriod(10_000, 35_000);
  period.fell(1);
  expect(period.ms).toBe(10_000);
});

test('a longest period below the normal one is the normal one', () => {
  const period = new StablePeriod(10_000, 500);
  period.back(0);
  period.fell(1);
  expect(period.ms).toBe(10_000);
});
