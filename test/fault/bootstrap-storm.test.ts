// 1,000 new nodes against one store that fails 30 % of all requests: each ends with the newest configuration, with a
// bounded number of requests. Time is fake for all of it, the circuit breakers' own timers included.
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import fileTarget from '../../plugins/target/file/index.ts';
import type { BootstrapOutcome } from '../../src/bootstrap/outcome.ts';
import { Bootstrap } from '../../src/bootstrap/pipeline.ts';
import { STORE_BREAKER } from '../../src/bootstrap/store-breaker.ts';
import { silentLogger } from '../../src/observe/index.ts';
import type { ObjectStore, Target } from '../../src/plugin/index.ts';
import { Breaker, Outside, systemClock } from '../../src/resilience/index.ts';
import { SnapshotCache } from '../../src/restore/cache.ts';
import { restore } from '../../src/restore/pipeline.ts';
import type { DocumentWorker } from '../../src/snapshot/document-worker.ts';
import { GuardedStore } from '../../src/snapshot/guarded-store.ts';
import { SnapshotStore } from '../../src/snapshot/snapshot-store.ts';
import { type Fault, faulty } from '../../src/testing/faulty.ts';
import { pluginContext } from '../../src/testing/plugin-context.ts';
import { idle } from '../unit/bootstrap/idle.ts';
import { HEAD_KEY, KEY, SETTINGS, type Sealed, World } from '../unit/restore/restore-world.ts';
import { LINE } from '../unit/snapshot/sample-head.ts';
import { aesGcmWith, sealingWith } from '../unit/snapshot/streams.ts';

const FAILING = 0.3;
/** At once; more would only make the real disk, which holds the caches, slower than the fake time. */
const TOGETHER = 25;
const SEED = Number(process.env['KF_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

/** On the faked timers and date; Node's own monotonic clock cannot be faked where it is imported. */
const clock = { ...systemClock, monotonic: () => Date.now() };

let world: World;
let newest: Sealed;
let store: ObjectStore;

beforeEach(async () => {
  world = await World.create();
  world.sealing = sealingWith(await aesGcmWith(KEY));
  newest = await world.seal('{"_format_version":"3.0","services":[{"name":"newest"}]}');
  const older = await world.seal('{"_format_version":"3.0","services":[{"name":"older"}]}');
  const objects = new Map<string, Uint8Array<ArrayBuffer>>([
    [HEAD_KEY, world.head([newest, older])],
    ...[newest, older].map(({ entry, bytes }) => [`3.9.3/${entry.key}`, bytes] as const),
  ]);
  store = {
    get: async (key) => {
      const bytes = objects.get(key);
      return bytes && { etag: '"e"', body: [bytes.slice()] };
    },
    put: () => Promise.reject(new Error('a reader writes nothing')),
    list: () => {
      throw new Error('a reader lists nothing');
    },
    delete: () => Promise.reject(new Error('a reader deletes nothing')),
  };
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'],
  });
});
afterEach(async () => {
  vi.useRealTimers();
  await world.close();
});

it.each([
  // With errors: the default of bootstrap.waitSeconds is enough.
  { nodes: 1000, unanswered: 0, waitMs: 60_000, most: 30 },
  // Every tenth failing request is never answered, which takes 15 s each to notice.
  { nodes: 300, unanswered: 0.1, waitMs: 300_000, most: 30 },
])(
  '$nodes bootstraps, 30 % of requests fail, $unanswered of these unanswered',
  { timeout: 600_000 },
  async (storm) => {
    const results: NodeResult[] = [];
    const waiting = Array.from({ length: storm.nodes }, (_, index) => index);
    const starting = Array.from({ length: TOGETHER }, async () => {
      for (let index = waiting.shift(); index !== undefined; index = waiting.shift()) {
        results.push(await startNode(index, storm));
      }
    });
    let over = false;
    const all = Promise.all(starting).finally(() => {
      over = true;
    });
    while (!over) {
      await idle();
      await vi.advanceTimersByTimeAsync(20);
    }
    await all;

    const requests = results.map((result) => result.requests).sort((a, b) => a - b);
    const seconds = results.map(({ ms }) => ms / 1000).sort((a, b) => a - b);
    const failed = results.reduce((sum, { failures }) => sum + failures, 0);
    const total = requests.reduce((sum, count) => sum + count, 0);
    console.log(
      `KF_SEED=${SEED} nodes: ${results.length}; requests: ${total} in all, ${failed} of them failed; per node median ` +
        `${at(requests, 0.5)}, p99 ${at(requests, 0.99)}, most ${at(requests, 1)}; until configured: median ` +
        `${at(seconds, 0.5)} s, p99 ${at(seconds, 0.99)} s, longest ${at(seconds, 1)} s`,
    );
    expect(results).toHaveLength(storm.nodes);
    for (const { index, outcome, document } of results) {
      const right = document?.equals(newest.document);
      expect({ index, origin: outcome.origin, right }, `KF_SEED=${SEED}`).toEqual({
        index,
        origin: 'storage',
        right: true,
      });
    }
    expect(failed / total).toBeGreaterThan(FAILING - 0.06);
    expect(failed / total).toBeLessThan(FAILING + 0.06);
    // Without a failure it takes two.
    expect(total / storm.nodes).toBeLessThan(4);
    expect(at(requests, 1)).toBeLessThanOrEqual(storm.most);
  },
);

interface Storm {
  readonly unanswered: number;
  readonly waitMs: number;
}

interface NodeResult {
  readonly index: number;
  readonly outcome: BootstrapOutcome;
  readonly document: Buffer | undefined;
  readonly requests: number;
  readonly failures: number;
  readonly ms: number;
}

async function startNode(index: number, { unanswered, waitMs }: Storm): Promise<NodeResult> {
  const random = mulberry32(SEED + index);
  const breaker = new Breaker('storage', STORE_BREAKER);
  let served = 0;
  const counting: ObjectStore = {
    ...store,
    get: (key, options) => {
      served++;
      return store.get(key, options);
    },
  };
  const guarded = new GuardedStore({
    id: 'flaky',
    store: faulty(counting, faults(random, unanswered)),
    prefix: '',
    capabilities: {},
    outside: new Outside(clock, random),
    clock,
    breaker,
  });
  const directory = join(world.directory, String(index));
  await mkdir(directory);
  const path = join(directory, 'kong.json');
  const target = (await fileTarget.create({ path, mode: '0640' }, pluginContext({ clock }))) as Target;
  const cache = new SnapshotCache(join(directory, 'cache'), LINE, clock, directory);
  const { sealing, trust } = world;
  const stores = [new SnapshotStore(guarded, { ...LINE, trust })];
  const bootstrap = new Bootstrap(
    { gatewayVersion: '3.9.3', maxDocumentBytes: 1e6, maxAgeMs: undefined, force: false, watchMs: 60_000 },
    {
      nodeState: async () => ({ state: 'new', path: '', reason: '' }),
      probe: async () => ({
        reachable: false,
        reason: 'KF_CP_REFUSED_CONNECTION',
        message: 'down',
        durationMs: 0,
      }),
      restore: (signal) =>
        restore(
          { line: LINE, stores, cache, sealing, trust, clock },
          { ...SETTINGS, resolveMs: 15_000 },
          { signal },
        ),
      target,
      worker: undefined as unknown as DocumentWorker,
      clock,
      random,
      log: silentLogger,
    },
  );
  const started = clock.monotonic();
  const outcome = await bootstrap.untilGiven({ signal: new AbortController().signal, waitMs });
  const ms = Math.round(clock.monotonic() - started);
  breaker.close();
  await cache.close();
  const document = await readFile(path).catch(() => undefined);
  const requests = guarded.counts.get;
  return { index, outcome, document, requests, failures: requests - served, ms };
}

/** Which requests fail, and how: with an error, or without any answer. */
function faults(random: () => number, unanswered: number): Fault[] {
  const script: Fault[] = [];
  for (let request = 0, passed = 0; request < 200; request++) {
    if (random() >= FAILING) {
      passed++;
      continue;
    }
    const slowDown = () => Object.assign(new Error('503 SlowDown'), { kind: 'unavailable' });
    script.push({ on: 'get', after: passed, times: 1, error: random() < unanswered ? 'hang' : slowDown });
  }
  return script;
}

const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;

function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
