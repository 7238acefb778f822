import { describe, expect, it } from 'vitest';
import { FallbackError } from '../../../src/errors/index.ts';
import { Breaker, type BreakerState } from '../../../src/resilience/index.ts';

const policy = { errorThresholdPercentage: 50, volumeThreshold: 3, resetTimeoutMs: 20, windowMs: 60_000 };
const fails = (kind: 'unavailable' | 'denied' | 'corrupt' | 'conflict') => async (): Promise<never> => {
  throw new FallbackError(kind, 'KF_TEST', `it is ${kind}`, { hint: 'mend it' });
};

async function fail(breaker: Breaker, kind: Parameters<typeof fails>[0], times: number): Promise<void> {
  for (let i = 0; i < times; i++)
    await expect(breaker.run('call', fails(kind))).rejects.toMatchObject({ kind });
}

describe('breaker', () => {
  it('stays closed below the volume, opens at it, and then calls nothing', async () => {
    const breaker = new Breaker('store', policy);
    await fail(breaker, 'unavailable', 2);
    expect(breaker.state).toBe('closed');
    await fail(breaker, 'unavailable', 1);
    expect(breaker.state).toBe('open');
    let called = false;
    const call = breaker.run('get head', async () => {
      called = true;
    });
    await expect(call).rejects.toMatchObject({
      kind: 'unavailable',
      code: 'KF_BREAKER_OPEN',
      hint: 'mend it',
    });
    expect(called).toBe(false);
    breaker.close();
  });

  it.each(['denied', 'corrupt', 'conflict'] as const)(
    'takes %s for an answer, which opens nothing',
    async (kind) => {
      const breaker = new Breaker('store', policy);
      await fail(breaker, kind, 10);
      expect(breaker.state).toBe('closed');
      breaker.close();
    },
  );

  it('lets one call through after its time, and closes when that succeeds', async () => {
    const states: BreakerState[] = [];
    const halfOpen = resolvers();
    const breaker = new Breaker('store', policy, (state) => {
      states.push(state);
      if (state === 'half-open') halfOpen.resolve();
    });
    await fail(breaker, 'unavailable', 3);
    await halfOpen.promise;
    expect(await breaker.run('call', async () => 'fine')).toBe('fine');
    expect(states).toEqual(['open', 'half-open', 'closed']);
    breaker.close();
  });

  it('gives an error without a kind one, and counts it', async () => {
    const breaker = new Breaker('store', policy);
    for (let i = 0; i < 3; i++) {
      const call = breaker.run('call', async () => {
        throw Object.create(null);
      });
      await expect(call).rejects.toMatchObject({ code: 'KF_PLUGIN_UNCLASSIFIED' });
    }
    expect(breaker.state).toBe('open');
    breaker.close();
  });
});

function resolvers() {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve: () => resolve() };
}
