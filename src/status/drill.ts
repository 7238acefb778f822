// The whole restore, from each store by itself and from the cache, into a scratch file: proof beforehand.
import { lstat, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { classify, type FallbackError } from '../errors/index.ts';
import type { ServiceDrill } from '../observe/metrics-state.ts';
import type { Finding } from '../plugin/index.ts';
import { type Clock, withDeadline } from '../resilience/index.ts';
import { SnapshotCache } from '../restore/cache.ts';
import type { RestoredSnapshot } from '../restore/candidate.ts';
import { type RestoreDependencies, type RestoreSettings, restore } from '../restore/pipeline.ts';
import type { GuardedStore } from '../snapshot/guarded-store.ts';
import type { Line } from '../snapshot/head.ts';
import type { Trust } from '../snapshot/keys.ts';
import type { Sealing } from '../snapshot/sealing.ts';
import { SnapshotStore } from '../snapshot/snapshot-store.ts';
import { StoreCounts } from '../snapshot/store-counts.ts';
import { noRoom, writeScratchFile } from './scratch-file.ts';

export interface DrillDependencies {
  readonly stores: readonly GuardedStore[];
  readonly sealing: Sealing;
  readonly trust: Trust;
  readonly clock: Clock;
  /** What a bootstrap does with a snapshot that no trusted key signed. */
  readonly check: (restored: RestoredSnapshot, signal: AbortSignal) => Promise<void>;
  /** Default: the system's temporary folder. */
  readonly scratchRoot?: string;
}

export interface DrillOptions {
  readonly restore: RestoreSettings;
  /** Undefined: this machine keeps none. */
  readonly cacheDirectory: string | undefined;
  readonly signal: AbortSignal;
}

export interface DrillResult extends ServiceDrill {
  readonly sequence: number | null;
  readonly configHash: string | null;
  /** Since the configuration was last known to be the control plane's, seconds by the store's clock. */
  readonly ageSeconds: number | null;
  readonly authenticated: boolean | null;
  readonly counts: Readonly<Record<string, number>> | null;
  readonly documentBytes: number | null;
  /** Each attempt counted, and the bytes of all bodies. */
  readonly requests: number;
  readonly bytesRead: number;
  readonly findings: readonly Finding[];
  readonly error: FallbackError | null;
}

/** For one store or the cache, everything together. Milliseconds. */
const DEADLINE_MS = 600_000;

/** One after the other, so that a drill is never more load than one new node. */
export async function drill(
  line: Line,
  deps: DrillDependencies,
  options: DrillOptions,
): Promise<DrillResult[]> {
  const results: DrillResult[] = [];
  for (const store of deps.stores) {
    const counts = new StoreCounts();
    const apart = store.countedApart(counts);
    results.push(
      await inScratch(deps, (directory) => {
        const cache = new SnapshotCache(join(directory, 'cache'), line, deps.clock, directory);
        const stores = [new SnapshotStore(apart, { ...line, trust: deps.trust })];
        return attempt({ line, stores, cache, directory, id: store.id, counts }, deps, options);
      }),
    );
  }
  const { cacheDirectory } = options;
  if (cacheDirectory === undefined) return results;
  const cache = new SnapshotCache(cacheDirectory, line, deps.clock);
  const counts = new StoreCounts();
  if (!(await isDirectory(cache.directory))) return [...results, empty(line, deps.clock)];
  const source = { line, stores: [], cache, id: null, counts };
  return [...results, await inScratch(deps, (directory) => attempt({ ...source, directory }, deps, options))];
}

interface Source {
  readonly line: Line;
  readonly stores: readonly SnapshotStore[];
  readonly cache: SnapshotCache;
  readonly directory: string;
  readonly id: string | null;
  readonly counts: StoreCounts;
}

async function attempt(source: Source, deps: DrillDependencies, options: DrillOptions): Promise<DrillResult> {
  const { clock } = deps;
  const where = source.id === null ? 'drill from the cache' : `drill from storage ${source.id}`;
  const base = empty(source.line, clock, source.id);
  const spent = () => ({ requests: source.counts.requests, bytesRead: source.counts.bytesDown });
  try {
    return await withDeadline(clock, DEADLINE_MS, options.signal, where, async (signal) => ({
      ...base,
      ...(await restoreOne(source, deps, options.restore, signal)),
      ...spent(),
    }));
  } catch (thrown) {
    if (options.signal.aborted) throw thrown;
    const error = classify(thrown, where);
    const nothing = source.id === null && (error as { failures?: readonly unknown[] }).failures?.length === 0;
    return { ...base, ...spent(), ...(nothing ? {} : { verdict: 'failed', error }) };
  } finally {
    await source.cache.close();
  }
}

async function restoreOne(
  { line, stores, cache, directory }: Source,
  { sealing, trust, clock, check }: DrillDependencies,
  settings: RestoreSettings,
  signal: AbortSignal,
): Promise<Partial<DrillResult>> {
  const restoring: RestoreDependencies = { line, stores, cache, sealing, trust, clock };
  for await (const restored of restore(restoring, settings, { signal })) {
    const from = clock.monotonic();
    try {
      if (!restored.authenticated) await check(restored, signal);
      const documentBytes = await writeScratchFile(directory, restored.open({ signal }));
      const openMs = Math.round(clock.monotonic() - from);
      return { ...factsOf(restored), documentBytes, timings: { ...restored.timings, openMs } };
    } catch (thrown) {
      const error = classify(thrown, `snapshot ${restored.entry.key}`);
      const olderMayDo = error.kind === 'corrupt' || error.kind === 'unsupported';
      if (restored.streamError === undefined && !olderMayDo) throw error;
      restored.refuse(error);
    }
  }
  throw new TypeError('restoring ends with a snapshot or an error');
}

function factsOf({ head, entry, authenticated, ageMs, findings }: RestoredSnapshot): Partial<DrillResult> {
  return {
    verdict: entry === head.entries[0] ? 'passed' : 'older',
    sequence: head.sequence,
    configHash: entry.configHash,
    ageSeconds: Math.round(ageMs / 1000),
    authenticated,
    counts: entry.counts,
    findings,
  };
}

const empty = ({ gatewayVersion }: Line, clock: Clock, store: string | null = null): DrillResult => ({
  gatewayVersion,
  store,
  verdict: 'empty',
  at: clock.now(),
  timings: { resolveMs: 0, fetchMs: 0, openMs: 0 },
  sequence: null,
  configHash: null,
  ageSeconds: null,
  authenticated: null,
  counts: null,
  documentBytes: null,
  requests: 0,
  bytesRead: 0,
  findings: [],
  error: null,
});

/** A private folder that is gone afterwards. */
async function inScratch<T>(
  { scratchRoot = tmpdir() }: DrillDependencies,
  work: (directory: string) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(scratchRoot, 'kongfallback-drill-')).catch((thrown: unknown) => {
    throw noRoom(scratchRoot, thrown);
  });
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const isDirectory = async (path: string): Promise<boolean> =>
  lstat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
