// One line's stored configuration, kept as the frame that data planes get: look at the heads ─▶ restore (src/restore) ─▶
// build the frame. What is held stays until its replacement is whole.
import { classify } from '../../errors/index.ts';
import type { Findings } from '../../observe/index.ts';
import type { Finding, Logger } from '../../plugin/index.ts';
import { aborted, type Clock, withDeadline } from '../../resilience/index.ts';
import { SnapshotCache } from '../../restore/cache.ts';
import type { RestoredSnapshot } from '../../restore/candidate.ts';
import { failureFinding, olderMayDo } from '../../restore/failure.ts';
import {
  type RestoreDependencies,
  type RestoreSettings,
  resolveLine,
  restore,
} from '../../restore/pipeline.ts';
import type { Resolution, ResolvedHead } from '../../restore/resolve.ts';
import { entryFindings } from '../../restore/usable.ts';
import type { Head, Line, SnapshotEntry } from '../../snapshot/head.ts';
import type { Trust } from '../../snapshot/keys.ts';
import { checkLine } from '../../snapshot/object-keys.ts';
import type { Sealing } from '../../snapshot/sealing.ts';
import { type LineStore, SnapshotStore } from '../../snapshot/snapshot-store.ts';
import type { Provision } from '../provision.ts';
import { isSameSnapshot } from './freshness.ts';
import { StandingCopyFindings } from './standing-copy-findings.ts';
import { confirmed, type Held, heldAbove, isSameHead, wantedAndHeld } from './standing-copy-held.ts';
import { type CheckSnapshot, provisionOf } from './standing-copy-provision.ts';
import { type StandingCopyStatus, standingCopyStatus } from './standing-copy-status.ts';
import { rememberingHead } from './standing-copy-store.ts';

export interface StandingCopyDependencies {
  readonly cluster: string;
  /** In the order of the settings. */
  readonly stores: readonly LineStore[];
  /** Asked for each time: keys are replaced while the relay runs. */
  readonly sealing: () => Sealing;
  readonly trust: () => Trust;
  readonly check: CheckSnapshot;
  readonly cacheDirectory: string;
  readonly limits: { readonly maxSealedBytes: number; readonly maxDocumentBytes: number };
  readonly minimumSequence?: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly findings: Findings;
  /** There is another configuration for this version. */
  readonly onProvision?: (gatewayVersion: string) => void;
}

/** As a bootstrap has them: for each store's head, and how recent a head must be to end the wait for slower stores. */
const RESOLVE_MS = 15_000;
const RECENT_MS = 1_200_000;
/** For one refresh, everything together, as a drill has it. */
const DEADLINE_MS = 600_000;
const NOTHING: Resolution = { best: undefined, failures: [], findings: [] };

export class StandingCopy {
  /** When there is something to serve, or the first look for it has ended. */
  readonly looked: Promise<void>;
  readonly #line: Line;
  readonly #deps: StandingCopyDependencies;
  readonly #stores: readonly LineStore[];
  readonly #findings: StandingCopyFindings;
  #held: Held | undefined;
  #checkedAt: number | null = null;
  #tellLooked: () => void = () => {};
  #ratchet: number | undefined;

  /**
   * @param expected the settings name the version: it is critical that there is something to serve
   * @throws FallbackError `invalid` KF_LINE_INVALID
   */
  constructor(gatewayVersion: string, expected: boolean, deps: StandingCopyDependencies) {
    this.#line = { cluster: deps.cluster, gatewayVersion };
    checkLine(this.#line);
    this.#deps = deps;
    this.looked = new Promise((resolve) => {
      this.#tellLooked = resolve;
    });
    this.#stores = deps.stores.map((store) => rememberingHead(store, gatewayVersion));
    this.#findings = new StandingCopyFindings(gatewayVersion, expected, deps.findings);
  }

  get provision(): Provision | undefined {
    return this.#held?.provision;
  }

  status(): StandingCopyStatus {
    return standingCopyStatus(this.#line.gatewayVersion, this.#held, this.#checkedAt);
  }

  /** Nobody asks for it any more. */
  forget(): void {
    this.#findings.end();
  }

  /**
   * One conditional read of each store's head, and of a snapshot where there is another one. What goes wrong is a finding.
   *
   * @throws FallbackError `aborted`, and nothing else
   */
  async refresh(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    const what = `stored configuration for ${this.#line.gatewayVersion}`;
    try {
      await withDeadline(clock, DEADLINE_MS, signal, what, (within) => this.#refresh(within));
    } catch (thrown) {
      if (signal.aborted) throw aborted(signal);
      this.#findings.failed(classify(thrown, what), this.#held?.entry.asOf);
    } finally {
      this.#tellLooked();
    }
  }

  async #refresh(signal: AbortSignal): Promise<void> {
    const { cacheDirectory, clock } = this.#deps;
    const cache = new SnapshotCache(cacheDirectory, this.#line, clock);
    try {
      await cache.prepare();
      const restoring = this.#restoring(cache);
      if (this.#held === undefined) await this.#fromCache(restoring, signal);
      const ratchet = await this.#ratchetOf(cache);
      const resolution = await resolveLine(restoring, this.#settings(), { signal, ratchet });
      const { best } = resolution;
      if (best === undefined) {
        if (this.#held === undefined) return await this.#restore(restoring, resolution, signal);
        const noticed = [...resolution.failures.map(failureFinding), ...cache.findings];
        return this.#findings.stale(noticed, this.#held.entry.asOf);
      }
      this.#checkedAt = clock.now();
      this.#ratchet = Math.max(this.#ratchet ?? 0, best.head.sequence);
      await cache.raiseRatchet(best.head.sequence);
      const same = await this.#sameEntry(best, cache);
      if (same === undefined) return await this.#restore(restoring, resolution, signal);
      const isConfirmed = this.#held !== undefined && !isSameHead(best.head, this.#held.head);
      if (isConfirmed) await cache.remember(best.bytes, same);
      this.#keep(best.head, same, [...resolution.findings, ...cache.findings]);
    } finally {
      await cache.close();
    }
  }

  #restoring(cache: SnapshotCache): RestoreDependencies {
    const trust = this.#deps.trust();
    const stores = this.#stores.map((store) => new SnapshotStore(store, { ...this.#line, trust }));
    return { line: this.#line, stores, cache, sealing: this.#deps.sealing(), trust, clock: this.#deps.clock };
  }

  #settings(): RestoreSettings {
    const { limits, minimumSequence } = this.#deps;
    return {
      resolveMs: RESOLVE_MS,
      recentMs: RECENT_MS,
      ...(minimumSequence !== undefined && { minimumSequence }),
      ...limits,
    };
  }

  /** The cache's, so that an operator can take it back there; ours where no cache can be kept. */
  async #ratchetOf(cache: SnapshotCache): Promise<number | undefined> {
    const kept = await cache.readRatchet();
    return cache.findings.length === 0 ? kept : Math.max(kept ?? 0, this.#ratchet ?? 0);
  }

  /** The entry of this head whose frame is held already; undefined: there is work to do. */
  async #sameEntry({ head }: ResolvedHead, cache: SnapshotCache): Promise<SnapshotEntry | undefined> {
    const held = this.#held;
    const same = held && wantedAndHeld(held, head);
    if (held === undefined || same === undefined || isSameHead(head, held.head)) return same;
    // A cache that can be kept and lost its bytes is filled again.
    const isCached = cache.findings.length > 0 || (await cache.find(same)) !== undefined;
    return isCached ? same : undefined;
  }

  /** Under a head of the stores, by which it is no less than what else could be had. */
  #keep(head: Head, entry: SnapshotEntry, noticed: readonly Finding[]): void {
    if (this.#held === undefined) return;
    this.#held = confirmed(this.#held, head, entry);
    this.#findings.fresh([...noticed, ...entryFindings(head, entry, this.#deps.clock.now())]);
  }

  /** First of all after a start: a store that does not answer takes its time, which data planes do not have. */
  async #fromCache(deps: RestoreDependencies, signal: AbortSignal): Promise<void> {
    const nowhere = { ...deps, stores: [] };
    try {
      for await (const restored of restore(nowhere, this.#settings(), { signal, resolution: NOTHING })) {
        if (await this.#use(restored, signal)) return;
      }
    } catch (thrown) {
      // Why is told with what the stores say, where nothing comes from them either.
      if (signal.aborted) throw thrown;
    }
  }

  async #restore(deps: RestoreDependencies, resolution: Resolution, signal: AbortSignal): Promise<void> {
    for await (const restored of restore(deps, this.#settings(), { signal, resolution })) {
      // Storage has a newer head and nothing of it could be used: what is held is no worse than the cache.
      if (restored.origin === 'cache' && this.#held !== undefined) {
        this.#findings.stale(restored.findings, this.#held.entry.asOf);
        return;
      }
      const better = this.#held && heldAbove(this.#held, restored);
      if (better !== undefined) {
        const noticed = restored.findings.filter(({ code }) => code !== 'restore/older-snapshot');
        return this.#keep(restored.head, better, noticed);
      }
      if (!(await this.#use(restored, signal))) continue;
      const remembered = await restored.remember();
      const findings = [...restored.findings, ...remembered];
      if (restored.origin === 'storage') this.#findings.fresh(findings);
      else this.#findings.stale(findings, restored.entry.asOf);
      return;
    }
  }

  /** False when this snapshot will not do and the next one is to be tried. */
  async #use(restored: RestoredSnapshot, signal: AbortSignal): Promise<boolean> {
    const { check, log } = this.#deps;
    const { entry } = restored;
    try {
      this.#replace(restored, await provisionOf(restored, check, signal));
      return true;
    } catch (thrown) {
      const error = classify(thrown, `snapshot ${entry.key}`);
      if (restored.streamError === undefined && !olderMayDo(error)) throw error;
      restored.refuse(error);
      log.error({ event: 'relay.snapshot-refused', code: error.code, key: entry.key }, error.message);
      return false;
    }
  }

  #replace({ head, entry }: RestoredSnapshot, provision: Provision): void {
    const { log, onProvision } = this.#deps;
    const { gatewayVersion, sequence, origin, configHash, frame } = provision;
    const former = this.#held;
    this.#held = { provision, head, entry };
    this.#tellLooked();
    this.#findings.built(frame);
    if (former !== undefined && isSameSnapshot(former.entry, entry)) return;
    const frameBytes = frame.length;
    log.info(
      { event: 'relay.provision', gatewayVersion, sequence, origin, configHash, frameBytes },
      `the configuration of ${entry.asOf} is ready for data planes of ${gatewayVersion}`,
    );
    onProvision?.(gatewayVersion);
  }
}
