// resolve head ─▶ fetch into the cache ─▶ open; next older snapshot, next origin, cache (FORMAT.md §7).
import { FallbackError } from '../errors/index.ts';
import type { Clock, Finding } from '../plugin/index.ts';
import { contentOfEntry, isRejected } from '../snapshot/content.ts';
import type { Head, Line, SnapshotEntry } from '../snapshot/head.ts';
import type { Trust } from '../snapshot/keys.ts';
import type { Sealing } from '../snapshot/sealing.ts';
import { openSignedHead } from '../snapshot/signed-head.ts';
import type { SnapshotStore } from '../snapshot/snapshot-store.ts';
import type { SnapshotCache } from './cache.ts';
import { Candidate, type RestoredSnapshot } from './candidate.ts';
import { failure, olderMayDo, RestoreError } from './failure.ts';
import { fetchSealed } from './fetch.ts';
import { openDocument } from './open.ts';
import { Progress } from './progress.ts';
import { readPieces } from './read-pieces.ts';
import { type Resolution, type ResolvedHead, resolveHeads } from './resolve.ts';
import { checkUsable, entryFindings } from './usable.ts';

export interface RestoreDependencies {
  readonly line: Line;
  /** In the order of the settings. */
  readonly stores: readonly SnapshotStore[];
  readonly cache: SnapshotCache;
  readonly sealing: Sealing;
  readonly trust: Trust;
  readonly clock: Clock;
}

export interface RestoreSettings {
  /** Milliseconds for each store's head, all tries together. */
  readonly resolveMs: number;
  /** A head that was written this recently ends the wait for slower stores; milliseconds. */
  readonly recentMs: number;
  readonly minimumSequence?: number;
  /** Bytes. */
  readonly maxSealedBytes: number;
  /** Bytes. */
  readonly maxDocumentBytes: number;
}

export interface RestoreOptions {
  readonly signal: AbortSignal;
  /** From whoever has just looked at the heads; without it they are asked for. */
  readonly resolution?: Resolution;
}

/** Snapshots of one head that are tried before giving up on it: a bound on requests and time. */
export const MAX_CANDIDATES = 10;

/**
 * Snapshots in the order of preference, each fetched and checked when it is asked for. The caller applies the first
 * one that works; asking for the next one says that the former did not.
 *
 * @throws RestoreError KF_RESTORE_FAILED, with every failure, when there is no further one; the signal's abort
 */
export async function* restore(
  deps: RestoreDependencies,
  settings: RestoreSettings,
  options: RestoreOptions,
): AsyncGenerator<RestoredSnapshot, never, undefined> {
  const { cache, clock, stores } = deps;
  const { signal } = options;
  const progress = new Progress(clock, cache.findings);
  await cache.prepare();

  const resolution =
    options.resolution ?? (await resolveLine(deps, settings, { signal, ratchet: await cache.readRatchet() }));
  progress.resolved(stores.length, resolution);
  const run = { deps, settings, signal, progress };
  if (resolution.best !== undefined) {
    await cache.raiseRatchet(resolution.best.head.sequence);
    yield* fromStorage(resolution.best, run);
  }
  yield* fromCache(run);
  throw new RestoreError(progress.failures);
}

/** The newest head of the line that may be used. @throws FallbackError only when the signal fires */
export function resolveLine(
  { clock, line, stores }: Pick<RestoreDependencies, 'clock' | 'line' | 'stores'>,
  { resolveMs, recentMs, minimumSequence }: RestoreSettings,
  options: { readonly signal: AbortSignal; readonly ratchet: number | undefined },
): Promise<Resolution> {
  const { gatewayVersion } = line;
  return resolveHeads(stores, {
    ...options,
    clock,
    gatewayVersion,
    deadlineMs: resolveMs,
    recentMs,
    minimumSequence,
  });
}

interface Run {
  readonly deps: RestoreDependencies;
  readonly settings: RestoreSettings;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

async function* fromStorage(best: ResolvedHead, run: Run): AsyncGenerator<RestoredSnapshot, void, undefined> {
  const { deps, settings, signal, progress } = run;
  const { gatewayVersion } = deps.line;
  const stores = [...deps.stores].sort(
    (a, b) => Number(b.id === best.storeId) - Number(a.id === best.storeId),
  );
  const now = best.serverTime?.getTime() ?? deps.clock.now();
  for (const entry of acceptable(best.head)) {
    progress.tried.add(entry.key);
    try {
      checkUsable(entry, settings);
      const fetched = await progress.timed(() =>
        fetchSealed(entry, stores, {
          signal,
          gatewayVersion,
          cache: deps.cache,
          onRequest: () => progress.requested(),
        }),
      );
      progress.failures.push(...fetched.failures);
      if (fetched.path === undefined) {
        if (fetched.failures.some(({ error }) => olderMayDo(error))) continue;
        return;
      }
      const candidate = candidateFor({ ...best, origin: 'storage', entry, path: fetched.path, now }, run);
      yield candidate;
      if (candidate.failure !== undefined) throw candidate.failure;
    } catch (thrown) {
      const failed = failure('storage', best.storeId, `${gatewayVersion}/${entry.key}`, thrown);
      progress.failures.push(failed);
      if (!olderMayDo(failed.error)) return;
    }
  }
}

/** What the node has kept; the ratchet does not apply, since it came from here. */
async function* fromCache(run: Run): AsyncGenerator<RestoredSnapshot, void, undefined> {
  const { deps, settings, progress } = run;
  const { cache, clock, line, trust } = deps;
  const bytes = await cache.readHead();
  if (bytes === undefined) return;
  try {
    const opened = openSignedHead(bytes, line, trust, `cache: ${cache.directory}/head.json`);
    checkFloor(opened.head, settings.minimumSequence);
    for (const entry of acceptable(opened.head)) {
      if (progress.tried.has(entry.key)) continue;
      checkUsable(entry, settings);
      const path = await progress.timed(() => cache.find(entry));
      if (path === undefined) continue;
      const facts = {
        ...opened,
        bytes,
        storeId: null,
        origin: 'cache' as const,
        entry,
        path,
        now: clock.now(),
      };
      const candidate = candidateFor(facts, run);
      yield candidate;
      if (candidate.failure !== undefined) throw candidate.failure;
    }
  } catch (thrown) {
    progress.failures.push(failure('cache', null, cache.directory, thrown));
  }
}

interface Found {
  readonly origin: 'storage' | 'cache';
  readonly storeId: string | null;
  readonly head: Head;
  readonly bytes: Uint8Array;
  readonly entry: SnapshotEntry;
  readonly authenticated: boolean;
  readonly path: string;
  /** Milliseconds since 1970, by the store's clock where it tells one. */
  readonly now: number;
}

function candidateFor(found: Found, { deps, progress }: Run): Candidate {
  const { cache, line, sealing } = deps;
  const { origin, storeId, head, bytes, entry, authenticated, path, now } = found;
  return new Candidate(
    {
      origin,
      storeId,
      head,
      entry,
      authenticated,
      ageMs: Math.max(0, now - Date.parse(entry.asOf)),
      timings: progress.timings(),
      requests: progress.requests(),
      findings: [...progress.findings(), ...entryFindings(head, entry, now)],
    },
    {
      read: (signal) => openDocument(readPieces(path), { line, entry, sealing, authenticated, signal }),
      remember: async (): Promise<readonly Finding[]> => {
        const before = cache.findings.length;
        if (origin === 'storage') await cache.remember(bytes, entry);
        return cache.findings.slice(before);
      },
    },
  );
}

/** Newest first; what a rollback rejects is not there. */
function acceptable(head: Head): readonly SnapshotEntry[] {
  return head.entries
    .filter((entry) => !isRejected(contentOfEntry(entry), head.hold))
    .slice(0, MAX_CANDIDATES);
}

function checkFloor(head: Head, minimumSequence: number | undefined): void {
  if (minimumSequence === undefined || head.sequence >= minimumSequence) return;
  throw new FallbackError(
    'corrupt',
    'KF_HEAD_ROLLED_BACK',
    `the cached head has sequence ${head.sequence}, while minimumSequence is ${minimumSequence}`,
    { hint: 'The cached snapshot is older than `minimumSequence` (of `bootstrap`, or of `relay`) allows.' },
  );
}
