import { classify } from '../errors/index.ts';
import type { Findings } from '../observe/index.ts';
import type { Logger } from '../plugin/plugin.ts';
import type { Clock } from '../resilience/index.ts';
import type { Head } from '../snapshot/head.ts';
import type { SnapshotStore } from '../snapshot/snapshot-store.ts';
import { bringBack } from './bring-back.ts';
import { collectQuietly } from './collect.ts';
import { currentEntry } from './decide.ts';
import { readSealed } from './level.ts';
import type { LineReading } from './line-heads.ts';
import type { LinePipeline } from './pipeline.ts';

/** At most this often: a look at each store's current snapshot costs its whole size. */
const EVERY_MS = 3_600_000;

export interface HousekeepingDependencies {
  readonly clock: Clock;
  readonly log: Logger;
  readonly findings: Findings;
}

/** What an exporter looks after besides publishing: that the current snapshot is whole everywhere, and retention. */
export class Housekeeping {
  readonly #line: LinePipeline;
  readonly #deps: HousekeepingDependencies;
  #lastAt: number;

  constructor(line: LinePipeline, deps: HousekeepingDependencies) {
    this.#line = line;
    this.#deps = deps;
    // Not at the start: a restart loop must not become a load on the stores.
    this.#lastAt = deps.clock.monotonic();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#deps;
    if (clock.monotonic() - this.#lastAt < EVERY_MS) return;
    this.#lastAt = clock.monotonic();
    const { readings } = await this.#line.readHeads(signal);
    for (const reading of readings) {
      if (reading.head === undefined) continue;
      try {
        await this.#lookAfter(reading, reading.head, readings, signal);
      } catch (thrown) {
        if (signal.aborted) throw thrown;
        // One store, such as one that may not be listed, must not keep the others from being looked after.
        const { id } = reading.store;
        const { code, message } = classify(thrown, `storage ${id}: housekeeping`);
        log.warn({ event: 'housekeeping.failed', store: id, code }, message);
      }
    }
  }

  async #lookAfter(
    reading: LineReading,
    head: Head,
    readings: readonly LineReading[],
    signal: AbortSignal,
  ): Promise<void> {
    const { gatewayVersion, maxSealedBytes } = this.#line.settings;
    const { log } = this.#deps;
    await this.#inspect(reading, head, readings, signal);
    await bringBack(reading, head, readings, { ...this.#deps, gatewayVersion, maxSealedBytes, signal });
    await collectQuietly(reading.store, head, { now: this.#line.now(), log, signal });
  }

  /** The snapshot that the next new node would get: is it there, whole? If not, it is brought from another store. */
  async #inspect(
    { store }: LineReading,
    head: Head,
    readings: readonly LineReading[],
    signal: AbortSignal,
  ): Promise<void> {
    const { findings, log } = this.#deps;
    const about = `${this.#line.settings.gatewayVersion} ${store.id}`;
    if ((await this.#read(store, head, signal)) !== undefined) {
      findings.clear('snapshot-damaged', about);
      return;
    }
    const { key } = currentEntry(head);
    for (const other of readings) {
      if (other.store === store) continue;
      const bytes = await this.#read(other.store, head, signal).catch((thrown: unknown) => {
        if (signal.aborted) throw thrown;
        const { code, message } = classify(thrown, `storage ${other.store.id}: get ${key}`);
        log.warn({ event: 'level.unread', store: other.store.id, key, code }, message);
        return undefined;
      });
      if (bytes === undefined) continue;
      // The damaged bytes bear the right key, and an upload never overwrites.
      await store.deleteSnapshot(key, { signal });
      await store.putSnapshot(key, bytes, { signal });
      log.warn(
        { event: 'snapshot.repaired', store: store.id, key },
        `storage ${store.id}: brought back ${key}`,
      );
      findings.clear('snapshot-damaged', about);
      return;
    }
    findings.raise({
      code: 'snapshot-damaged',
      about,
      severity: 'critical',
      message: `storage ${store.id}: the current snapshot ${key} is missing or damaged, and no other store gives it`,
      hint: 'Readers fall back to an older one. The next confirmation publishes it anew.',
    });
    // Readable snapshots of one document have one key, and an upload never overwrites what lies there.
    await store.deleteSnapshot(key, { signal });
    this.#line.republish(key);
  }

  async #read(
    store: SnapshotStore,
    head: Head,
    signal: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      return await readSealed(store, currentEntry(head), this.#line.settings.maxSealedBytes, signal);
    } catch (thrown) {
      const error = classify(thrown, `storage ${store.id}: look at the current snapshot`);
      if (error.kind === 'corrupt') return undefined;
      throw error;
    }
  }
}
