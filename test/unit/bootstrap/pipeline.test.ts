import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  Bootstrap,
  type BootstrapDependencies,
  type BootstrapSettings,
} from '../../../src/bootstrap/pipeline.ts';
import { FallbackError } from '../../../src/errors/index.ts';
import type { ControlPlaneHealth } from '../../../src/kong/probe.ts';
import { silentLogger } from '../../../src/observe/index.ts';
import type { Logger } from '../../../src/plugin/index.ts';
import type { DocumentWorker } from '../../../src/snapshot/document-worker.ts';
import type { FakeClock } from '../../../src/testing/fake-clock.ts';
import { type Sealed, World } from '../restore/restore-world.ts';
import { collected, SIGNAL } from '../snapshot/streams.ts';
import { idle } from './idle.ts';

const DOWN: ControlPlaneHealth = {
  reachable: false,
  reason: 'KF_CP_UNREACHABLE',
  message: 'down',
  durationMs: 0,
};
const UP: ControlPlaneHealth = { reachable: true, address: 'cp:8005', durationMs: 5, configHash: 'abc' };
const UNEXPECTED = new FallbackError('corrupt', 'KF_LMDB_UNEXPECTED', 'data.mdb: odd');

let world: World;
let clock: FakeClock;
let snapshot: Sealed;
let applied: string[];
let steps: string[];
let health: ControlPlaneHealth;
beforeEach(async () => {
  world = await World.create();
  clock = world.clock;
  world.stores.pop();
  snapshot = await world.seal('{"_format_version":"3.0"}');
  applied = [];
  steps = [];
  health = DOWN;
});
afterEach(() => world.close());

const store = () => world.stores[0] as (typeof world.stores)[number];
const reads = () => store().count('read');

function bootstrap(
  changes: Partial<BootstrapDependencies> = {},
  settings: Partial<BootstrapSettings> = {},
): Bootstrap {
  return new Bootstrap(
    {
      gatewayVersion: '3.9.3',
      maxDocumentBytes: 1e6,
      maxAgeMs: undefined,
      force: false,
      watchMs: 60_000,
      ...settings,
    },
    {
      nodeState: async () => {
        steps.push('node');
        return { state: 'new', path: 'data.mdb', reason: 'there is no such file' };
      },
      probe: async () => {
        steps.push('probe');
        return health;
      },
      restore: (signal) => {
        steps.push('restore');
        return world.candidates(world.cache(), signal);
      },
      target: {
        apply: async ({ body }) => {
          applied.push((await collected(body as AsyncIterable<Uint8Array>)).toString());
          return { where: '/kong.json' };
        },
      },
      worker: undefined as unknown as DocumentWorker,
      clock,
      random: () => 0.5,
      log: silentLogger,
      ...changes,
    },
  );
}

/** Lets the time go on until the work is over. */
async function passing<T>(work: Promise<T>, stepMs = 100): Promise<T> {
  let settled = false;
  const over = () => {
    settled = true;
  };
  work.then(over, over);
  while (!settled) {
    await idle();
    await clock.advance(stepMs);
  }
  return work;
}

const log = (lines: string[]): Logger => {
  const line = (fields: object, message: string) => {
    lines.push(`${(fields as { event?: string }).event}: ${message}`);
  };
  return { debug: line, info: line, warn: line, error: line };
};

describe('once', () => {
  it('asks the node, then the control plane, then storage', async () => {
    world.publish([snapshot]);
    const outcome = await bootstrap().once({ signal: SIGNAL });
    expect(steps).toEqual(['node', 'probe', 'restore']);
    expect(outcome).toMatchObject({ origin: 'storage', reason: 'KF_CP_UNREACHABLE', applied: '/kong.json' });
    expect(applied).toEqual(['{"_format_version":"3.0"}']);
  });

  it.each([
    ['configured', { state: 'configured', path: 'p', configHash: 'f00' } as const, 'f00'],
    ['KF_LMDB_UNEXPECTED', { state: 'unknown', path: 'p', error: UNEXPECTED } as const, null],
  ])('leaves a node alone that is %s', async (reason, state, configHash) => {
    world.publish([snapshot]);
    const lines: string[] = [];
    const outcome = await bootstrap({ nodeState: async () => state, log: log(lines) }).once({
      signal: SIGNAL,
    });
    expect(outcome).toMatchObject({ origin: 'node', reason, configHash, applied: null });
    expect([steps, applied, reads()]).toEqual([[], [], 0]);
    expect(lines).toHaveLength(1);
    const forced = await bootstrap({ nodeState: async () => state }, { force: true }).once({
      signal: SIGNAL,
    });
    expect(forced).toMatchObject({ origin: 'storage' });
  });

  it('throws what the target throws', async () => {
    world.publish([snapshot]);
    const full = new FallbackError('unavailable', 'KF_TARGET_UNAVAILABLE', 'full');
    const target = { apply: () => Promise.reject(full) };
    await expect(bootstrap({ target }).once({ signal: SIGNAL })).rejects.toBe(full);
  });
});

describe('until one of them gives', () => {
  it('tries once where there is no time', async () => {
    const outcome = await bootstrap().untilGiven({ signal: SIGNAL, waitMs: 0 });
    expect(outcome).toMatchObject({ origin: 'none', error: { code: 'KF_RESTORE_FAILED' } });
    expect(steps).toEqual(['node', 'probe', 'restore']);
    expect(clock.sleeping).toBe(0);
  });

  it('ends with the time, after a bounded number of attempts', async () => {
    const started = clock.monotonic();
    const outcome = await passing(bootstrap().untilGiven({ signal: SIGNAL, waitMs: 60_000 }));
    expect(outcome).toMatchObject({ origin: 'none', reason: 'KF_CP_UNREACHABLE' });
    expect(clock.monotonic() - started).toBeLessThanOrEqual(61_000);
    const attempts = steps.filter((step) => step === 'restore').length;
    expect(attempts).toBeGreaterThan(10);
    expect(attempts).toBeLessThan(25);
    expect(steps.filter((step) => step === 'node')).toHaveLength(1);
    expect(clock.sleeping).toBe(0);
  });

  it('takes the snapshot of a store that is back, and reads no storage after that', async () => {
    store().before = () => {
      if (clock.monotonic() < 31_000) throw new FallbackError('unavailable', 'KF_X', 'away');
    };
    world.publish([snapshot]);
    const outcome = await passing(bootstrap().untilGiven({ signal: SIGNAL, waitMs: 600_000 }));
    expect(outcome).toMatchObject({ origin: 'storage', reason: 'KF_CP_UNREACHABLE' });
    expect(clock.monotonic()).toBeLessThan(40_000);
    const before = store().calls.length;
    await clock.advance(600_000);
    expect(store().calls.length).toBe(before);
    expect(clock.sleeping).toBe(0);
  });

  it('leaves it to a control plane that is back first', async () => {
    const giving = bootstrap().untilGiven({ signal: SIGNAL, waitMs: 600_000 });
    const back = clock.sleep(20_000).then(() => {
      health = UP;
    });
    const outcome = await passing(giving);
    await back;
    expect(outcome).toMatchObject({ origin: 'control-plane', reason: 'reachable' });
    expect(applied).toEqual([]);
    expect(clock.sleeping).toBe(0);
  });

  it('is not kept by a control plane that hangs in the probe', async () => {
    let probes = 0;
    const probe = (signal: AbortSignal) =>
      ++probes === 1
        ? Promise.resolve(DOWN)
        : new Promise<ControlPlaneHealth>((_, reject) => {
            signal.addEventListener('abort', () => reject(new FallbackError('aborted', 'KF_ABORTED', 'x')));
          });
    const giving = bootstrap({ probe }).untilGiven({ signal: SIGNAL, waitMs: 600_000 });
    const back = clock.sleep(30_000).then(() => world.publish([snapshot]));
    expect(await passing(giving)).toMatchObject({ origin: 'storage' });
    await back;
    expect(probes).toBe(2);
  });

  it('tries again what the target could not do then, and not what it never can', async () => {
    world.publish([snapshot]);
    let tries = 0;
    const failing = (kind: 'unavailable' | 'denied') => ({
      apply: async () => {
        tries++;
        if (tries < 3 || kind === 'denied') {
          throw new FallbackError(kind, 'KF_TARGET_X', 'no', { retryAfterMs: 12_000 });
        }
        return { where: 'there' };
      },
    });
    const started = clock.monotonic();
    const outcome = await passing(
      bootstrap({ target: failing('unavailable') }).untilGiven({ signal: SIGNAL, waitMs: 600_000 }),
    );
    expect(outcome).toMatchObject({ origin: 'storage', applied: 'there' });
    expect(clock.monotonic() - started).toBeGreaterThanOrEqual(24_000);
    const denied = bootstrap({ target: failing('denied') }).untilGiven({ signal: SIGNAL, waitMs: 600_000 });
    await expect(passing(denied)).rejects.toMatchObject({ kind: 'denied' });
  });

  it('works without a control plane', async () => {
    const giving = bootstrap({ probe: undefined }).untilGiven({ signal: SIGNAL, waitMs: 5000 });
    expect(await passing(giving)).toMatchObject({ origin: 'none', reason: 'KF_CP_NOT_SET' });
  });

  it('ends with the signal, and leaves nothing behind', async () => {
    const stop = new AbortController();
    const giving = bootstrap().untilGiven({ signal: stop.signal, waitMs: 600_000 });
    const stopped = clock.sleep(20_000).then(() => stop.abort());
    await expect(passing(giving)).rejects.toMatchObject({ kind: 'aborted' });
    await stopped;
    expect(clock.sleeping).toBe(0);
  });
});

describe('until it is handed back', () => {
  it('looks rarely, at random times, and ends with the first success', async () => {
    const lines: string[] = [];
    const watching = bootstrap({ log: log(lines) }).untilHandedBack({ signal: SIGNAL });
    const back = clock.sleep(600_000).then(() => {
      health = UP;
    });
    await passing(watching, 1000);
    await back;
    expect(steps.filter((step) => step === 'probe').length).toBeLessThanOrEqual(11);
    expect(lines.filter((line) => line.startsWith('hand-back'))).toHaveLength(1);
    expect([reads(), clock.sleeping]).toEqual([0, 0]);
  });

  it('is over at once without a control plane', async () => {
    await bootstrap({ probe: undefined }).untilHandedBack({ signal: SIGNAL });
    expect(clock.sleeping).toBe(0);
  });

  it('ends with the signal', async () => {
    const stop = new AbortController();
    const watching = bootstrap().untilHandedBack({ signal: stop.signal });
    stop.abort();
    await expect(watching).rejects.toMatchObject({ kind: 'aborted' });
  });
});
