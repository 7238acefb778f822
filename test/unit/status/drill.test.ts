import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import memory from '../../../plugins/storage/memory/index.ts';
import { FallbackError } from '../../../src/errors/index.ts';
import { Outside } from '../../../src/resilience/index.ts';
import type { RestoredSnapshot } from '../../../src/restore/candidate.ts';
import { GuardedStore } from '../../../src/snapshot/guarded-store.ts';
import { type DrillResult, drill } from '../../../src/status/drill.ts';
import { drillFindings } from '../../../src/status/drill-findings.ts';
import { FakeClock, pluginContext } from '../../../src/testing/index.ts';
import { SETTINGS, type Sealed, World } from '../restore/restore-world.ts';
import { errorOf, LINE } from '../snapshot/sample-head.ts';

const HEAD = '3.9.3/head.json';
const signal = new AbortController().signal;

describe('a drill', () => {
  let world: World;
  let scratch: string;
  let [s3, dr]: GuardedStore[] = [];
  let objects: Map<string, Awaited<ReturnType<typeof memory.create>>>;
  let checked: string[];
  let current: Sealed;
  let older: Sealed;

  beforeEach(async () => {
    world = await World.create();
    scratch = await mkdtemp(join(tmpdir(), 'kongfallback-scratch-'));
    objects = new Map();
    checked = [];
    [s3, dr] = [await storeOf('s3'), await storeOf('dr')];
    current = await world.seal('{"services":[2]}');
    older = await world.seal('{"services":[1]}');
    for (const id of ['s3', 'dr']) await fill(id, [current, older]);
  });

  afterEach(async () => {
    expect(await readdir(scratch)).toEqual([]);
    await rm(scratch, { recursive: true, force: true });
    await world.close();
  });

  async function storeOf(id: string): Promise<GuardedStore> {
    const clock = new FakeClock();
    const store = await memory.create({}, pluginContext({ id }));
    objects.set(id, store);
    return new GuardedStore({
      id,
      prefix: '',
      store,
      capabilities: { conditionalPut: true },
      outside: new Outside(clock, () => 0),
      clock,
    });
  }

  async function put(id: string, key: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await objects.get(id)?.put(key, bytes, { signal });
  }

  async function fill(id: string, snapshots: readonly Sealed[]): Promise<void> {
    await put(id, HEAD, world.head(snapshots));
    for (const { entry, bytes } of snapshots) await put(id, `3.9.3/${entry.key}`, bytes);
  }

  const run = (
    cacheDirectory?: string,
    check = async ({ head }: RestoredSnapshot) => {
      checked.push(head.writer);
    },
    within = signal,
  ): Promise<DrillResult[]> => {
    const { sealing, trust, clock } = world;
    const stores = [s3, dr].filter((store) => store !== undefined);
    return drill(
      LINE,
      { stores, sealing, trust, clock, check, scratchRoot: scratch },
      { restore: SETTINGS, cacheDirectory, signal: within },
    );
  };

  const verdicts = (results: readonly DrillResult[]) => results.map(({ store, verdict }) => [store, verdict]);

  it('a store without its objects fails by itself, and the others pass', async () => {
    await objects.get('dr')?.delete(HEAD, { signal });
    const results = await run();
    expect(verdicts(results)).toEqual([
      ['s3', 'passed'],
      ['dr', 'failed'],
    ]);
    expect(results[1]?.error?.code).toBe('KF_RESTORE_FAILED');
    expect(drillFindings(results)).toMatchObject([
      { code: 'drill-failed', about: '3.9.3 dr', severity: 'warning' },
    ]);
  });

  it('all stores failing is critical', async () => {
    for (const id of ['s3', 'dr']) await objects.get(id)?.delete(HEAD, { signal });
    expect(drillFindings(await run()).map(({ severity }) => severity)).toEqual(['critical', 'critical']);
  });

  it.each<[string, (key: string) => Promise<void>]>([
    ['missing', async (key) => objects.get('s3')?.delete(key, { signal })],
    ['damaged', (key) => put('s3', key, new Uint8Array(current.bytes.length))],
  ])('a current snapshot that is %s in one store is not made good by another', async (_what, spoil) => {
    await spoil(`3.9.3/${current.entry.key}`);
    const results = await run();
    expect(verdicts(results)).toEqual([
      ['s3', 'older'],
      ['dr', 'passed'],
    ]);
    expect(results[0]?.configHash).toBe(older.entry.configHash);
    expect(drillFindings(results)).toMatchObject([{ code: 'drill-older', about: '3.9.3 s3' }]);
  });

  it('measures each restore', async () => {
    const [result] = await run();
    expect(result).toMatchObject({
      gatewayVersion: '3.9.3',
      verdict: 'passed',
      requests: 2,
      bytesRead: world.head([current, older]).length + current.bytes.length,
      documentBytes: current.document.length,
      authenticated: true,
      counts: current.entry.counts,
      error: null,
    });
    expect(s3?.counts.requests).toBe(0);
    expect(checked).toEqual([]);
  });

  it('an unsigned snapshot is judged as a bootstrap does, and refused like there', async () => {
    world.signers = [];
    world.trust = new (await import('../../../src/snapshot/keys.ts')).Trust([]);
    for (const id of ['s3', 'dr']) await fill(id, [current, older]);
    const refuse = async ({ entry }: RestoredSnapshot) => {
      if (entry.key === current.entry.key) throw new FallbackError('corrupt', 'KF_DOCUMENT_REFUSED', 'no');
    };
    expect(verdicts(await run(undefined, refuse))).toEqual([
      ['s3', 'older'],
      ['dr', 'older'],
    ]);
  });

  describe('the cache', () => {
    it('of a node that has none yet is empty, which is no fault, and is not made', async () => {
      const results = await run(join(world.directory, 'none'));
      expect(verdicts(results).at(-1)).toEqual([null, 'empty']);
      expect(drillFindings(results)).toEqual([]);
      expect(await readdir(world.directory)).toEqual([]);
    });

    it('without a head is empty', async () => {
      await mkdir(join(world.directory, 'cache', 'production', '3.9.3'), { recursive: true });
      expect(verdicts(await run(join(world.directory, 'cache'))).at(-1)).toEqual([null, 'empty']);
    });

    it('of a node that bootstrapped passes, without a store, and is left as it was', async () => {
      const directory = join(world.directory, 'cache');
      world.publish([current, older]);
      await world.restored(world.cache(directory));
      const before = await readdir(join(directory, 'production', '3.9.3'));
      const results = await run(directory);
      expect(results.at(-1)).toMatchObject({ store: null, verdict: 'passed', requests: 0 });
      expect(await readdir(join(directory, 'production', '3.9.3'))).toEqual(before);
    });

    it('that is damaged fails', async () => {
      const folder = join(world.directory, 'cache', 'production', '3.9.3');
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, 'head.json'), 'nonsense');
      const results = await run(join(world.directory, 'cache'));
      expect(results.at(-1)).toMatchObject({ verdict: 'failed', error: { code: 'KF_RESTORE_FAILED' } });
    });
  });

  it('no room for scratch files is an error, and not a verdict about a store', async () => {
    const { sealing, trust, clock } = world;
    const deps = { stores: [s3 as GuardedStore], sealing, trust, clock, check: async () => {} };
    const nowhere = join(scratch, 'nowhere');
    const error = await errorOf(() =>
      drill(
        LINE,
        { ...deps, scratchRoot: nowhere },
        { restore: SETTINGS, cacheDirectory: undefined, signal },
      ),
    );
    expect(error).toMatchObject({ kind: 'unavailable', code: 'KF_DRILL_SCRATCH' });
    expect(error.hint).toContain('TMPDIR');
  });

  it('an interruption leaves nothing behind', async () => {
    const stop = new AbortController();
    world.signers = [];
    world.trust = new (await import('../../../src/snapshot/keys.ts')).Trust([]);
    for (const id of ['s3', 'dr']) await fill(id, [current]);
    const running = run(undefined, async () => stop.abort(), stop.signal);
    expect(await errorOf(() => running)).toMatchObject({ kind: 'aborted' });
  });

  it('the readable document never has a name while it holds a byte', async () => {
    const { writeScratchFile } = await import('../../../src/status/scratch-file.ts');
    const seen: string[][] = [];
    const body = async function* () {
      seen.push(await readdir(scratch));
      yield new Uint8Array(10);
      seen.push(await readdir(scratch));
      yield new Uint8Array(5);
    };
    expect(await writeScratchFile(scratch, body())).toBe(15);
    expect(seen).toEqual([[], []]);
  });
});
