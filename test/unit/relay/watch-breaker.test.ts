import { expect, test } from 'vitest';
import { WatchBreaker } from '../../../src/relay/watch-breaker.ts';
import { StablePeriod } from '../../../src/relay/watch-stable-period.ts';

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

test('keeps nothing alive', () => {
  const before = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const breaker = new WatchBreaker();
  for (let n = 0; n < 20; n++) {
    breaker.open();
    breaker.halfOpen();
  }
  breaker.shutdown();
  expect(process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length).toBe(before);
});

test('a longest period below the normal one is the normal one', () => {
  const period = new StablePeriod(10_000, 500);
  period.back(0);
  period.fell(1);
  expect(period.ms).toBe(10_000);
});
