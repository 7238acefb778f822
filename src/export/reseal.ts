// After a change of keys: what is kept is sealed anew, one snapshot at a time, until the old key can go.
import { createHash } from 'node:crypto';
import { classify, type FallbackError } from '../errors/index.ts';
import type { Findings } from '../observe/index.ts';
import type { Clock, Logger } from '../plugin/index.ts';
import { snapshotContext } from '../snapshot/context.ts';
import type { Head, SnapshotEntry } from '../snapshot/head.ts';
import { snapshotKey } from '../snapshot/object-keys.ts';
import { ENVELOPE, type Sealing } from '../snapshot/sealing.ts';
import { ALIVE_SHARE } from './confirm-due.ts';
import { currentEntry } from './decide.ts';
import { readSealed } from './level.ts';
import { LineHeads, type LineReading } from './line-heads.ts';
import type { LinePipeline } from './pipeline.ts';
import { resealedHead } from './reseal-head.ts';
import { sealedName, sealedUnder } from './reseal-look.ts';

export interface ResealingDependencies {
  readonly sealing: Sealing;
  readonly clock: Clock;
  readonly log: Logger;
  readonly findings: Findings;
  /** The exporter reads signed heads only: what they list is what somebody with a key has written. */
  readonly authenticated: boolean;
}

interface Sealed {
  readonly entry: SnapshotEntry;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Beginnings of snapshots that one round looks at, a small request each. */
const MAX_LOOKS = 8;
/** What could not be opened is tried again after a day: a key may have been given back. */
const UNABLE_MS = 86_400_000;

/**
 * Seals anew what the head lists and other keys sealed. The new object goes up before the head that lists it, and the
 * old one is delisted like any other: a crash leaves an object that nobody lists, and another exporter's head wins.
 */
export class Resealing {
  readonly #line: LinePipeline;
  readonly #deps: ResealingDependencies;
  #lastAt = Number.NEGATIVE_INFINITY;
  #present = '';
  /** Keys of snapshots that are sealed as it is done now. A key stands for its bytes. */
  readonly #good = new Set<string>();
  /** By key: what could not be opened, and when that was seen. */
  readonly #unable = new Map<string, { readonly at: number; readonly error: FallbackError }>();
  /** Sequences of entries that were sealed anew under the present keys. */
  readonly #done = new Set<number>();

  constructor(line: LinePipeline, deps: ResealingDependencies) {
    this.#line = line;
    this.#deps = deps;
  }

  /**
   * At most one snapshot, and at most once in a confirmation interval.
   *
   * @param heads as the last look left them
   * @returns the heads after it, if one was written
   * @throws FallbackError what a store or an encryption throws that may work later
   */
  async run(heads: LineHeads, signal: AbortSignal): Promise<LineHeads | undefined> {
    const { base, readings } = heads;
    const now = this.#deps.clock.monotonic();
    if (now - this.#lastAt < ALIVE_SHARE * this.#line.settings.confirmIntervalMs) return undefined;
    // A store that was away is levelled first.
    if (base === undefined || readings.some(({ head }) => head?.nonce !== base.nonce)) return undefined;
    this.#lastAt = now;
    await this.#learn(base, signal);
    const { stale, contested } = await this.#find(base, readings, now, signal);
    this.#tell(base, contested);
    if (stale === undefined) return undefined;
    try {
      const sealed = await this.#sealAnew(stale, readings, signal);
      if (sealed !== undefined) return await this.#write(stale, sealed, base, heads, signal);
      this.#good.add(stale.key);
      return undefined;
    } catch (thrown) {
      const error = classify(thrown, `seal ${stale.key} anew`);
      if (error.kind === 'aborted' || error.kind === 'unavailable') throw error;
      this.#unable.set(stale.key, { at: now, error });
      this.#deps.log.warn({ event: 'reseal.failed', key: stale.key, code: error.code }, error.message);
      this.#tell(base, contested);
      return undefined;
    }
  }

  /** How is sealed now; and what the head lists no more is forgotten. */
  async #learn(base: Head, signal: AbortSignal): Promise<void> {
    const present = sealedName(
      await this.#deps.sealing.present(this.#context(currentEntry(base)), { signal }),
    );
    if (present !== this.#present)
      for (const memory of [this.#good, this.#done, this.#unable]) memory.clear();
    this.#present = present;
    const keys = new Set(base.entries.map(({ key }) => key));
    const sequences = new Set(base.entries.map(({ sequence }) => sequence));
    for (const key of this.#good) if (!keys.has(key)) this.#good.delete(key);
    for (const key of this.#unable.keys()) if (!keys.has(key)) this.#unable.delete(key);
    for (const sequence of this.#done) if (!sequences.has(sequence)) this.#done.delete(sequence);
  }

  /** The first entry that other keys sealed, and whether somebody undid what was done here. */
  async #find(
    base: Head,
    readings: readonly LineReading[],
    now: number,
    signal: AbortSignal,
  ): Promise<{ readonly stale: SnapshotEntry | undefined; readonly contested: boolean }> {
    let looks = 0;
    let contested = false;
    for (const entry of base.entries) {
      const unable = this.#unable.get(entry.key);
      if (this.#good.has(entry.key) || (unable !== undefined && now - unable.at < UNABLE_MS)) continue;
      if (entry.sealed.encryption === ENVELOPE && ++looks > MAX_LOOKS) break;
      const found = await this.#look(entry, readings, signal);
      // Missing or damaged, it is the business of housekeeping.
      if (found === undefined || sealedName(found) === this.#present) this.#good.add(entry.key);
      else if (this.#done.has(entry.sequence)) contested = true;
      else return { stale: entry, contested };
    }
    return { stale: undefined, contested };
  }

  async #look(entry: SnapshotEntry, readings: readonly LineReading[], signal: AbortSignal) {
    for (const { store } of readings) {
      const found = await sealedUnder(store, entry, signal);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  async #sealAnew(
    entry: SnapshotEntry,
    readings: readonly LineReading[],
    signal: AbortSignal,
  ): Promise<Sealed | undefined> {
    const { sealing, authenticated } = this.#deps;
    const stored = await this.#read(entry, readings, signal);
    if (stored === undefined) return undefined;
    const context = this.#context(entry);
    const pieces: Uint8Array[] = [];
    const opened = sealing.open(once(stored), entry.sealed.encryption, context, { signal, authenticated });
    for await (const piece of opened) pieces.push(piece);
    const { encryption, bytes } = await sealing.seal(Buffer.concat(pieces), context, { signal });
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const key = snapshotKey(entry.document.sha256, sha256);
    return { entry: { ...entry, key, sealed: { sha256, length: bytes.length, encryption } }, bytes };
  }

  async #read(entry: SnapshotEntry, readings: readonly LineReading[], signal: AbortSignal) {
    for (const { store } of readings) {
      const bytes = await readSealed(store, entry, this.#line.settings.maxSealedBytes, signal);
      if (bytes !== undefined) return bytes;
    }
    return undefined;
  }

  async #write(
    former: SnapshotEntry,
    { entry, bytes }: Sealed,
    base: Head,
    heads: LineHeads,
    signal: AbortSignal,
  ): Promise<LineHeads | undefined> {
    const holding = await this.#upload(entry.key, bytes, heads.readings, signal);
    const to = new LineHeads(holding, []);
    const make = (facts: Parameters<typeof resealedHead>[3]) => resealedHead(base, former, entry, facts);
    const written = await this.#line.replaceHead(to, make, signal);
    // Another exporter was faster; the next round looks at its head.
    if (written === 'conflict') return undefined;
    this.#good.add(entry.key);
    this.#done.add(entry.sequence);
    const fields = {
      event: 'reseal.done',
      key: entry.key,
      former: former.key,
      sequence: written.head.sequence,
    };
    this.#deps.log.info(fields, 'a kept snapshot was sealed anew under the present keys');
    return heads.after(written.head, written.results);
  }

  /** Stores that have it now; a head names nothing that is not there. */
  async #upload(
    key: string,
    bytes: Uint8Array<ArrayBuffer>,
    readings: readonly LineReading[],
    signal: AbortSignal,
  ): Promise<readonly LineReading[]> {
    const holding: LineReading[] = [];
    let failure: unknown;
    for (const reading of readings) {
      const { id } = reading.store;
      try {
        await reading.store.putSnapshot(key, bytes, { signal });
        holding.push(reading);
      } catch (thrown) {
        failure = thrown;
        const { code, message } = classify(thrown, `storage ${id}: put ${key}`);
        if (!signal.aborted) this.#deps.log.warn({ event: 'level.failed', store: id, key, code }, message);
      }
    }
    if (holding.length === 0 || signal.aborted) throw failure;
    return holding;
  }

  #tell(base: Head, contested: boolean): void {
    const { findings } = this.#deps;
    const about = this.#line.settings.gatewayVersion;
    const [first] = this.#unable.values();
    if (first === undefined) findings.clear('reseal-unable', about);
    else {
      findings.raise({
        code: 'reseal-unable',
        about,
        severity: 'warning',
        message: `${this.#unable.size} of ${base.entries.length} kept snapshots are sealed under other keys than the present ones, and this exporter cannot open them: ${first.error.message} [${first.error.code}]`,
        hint: 'Keep the old keys where snapshots are read until these have left the list, or give the old key to this exporter, after the one that seals.',
      });
    }
    if (!contested) findings.clear('reseal-contested', about);
    else {
      findings.raise({
        code: 'reseal-contested',
        about,
        severity: 'warning',
        message: 'another exporter seals anew under other keys what this one has sealed anew',
        hint: 'Give every exporter the same `encryption`, its keys in the same order; then restart this one.',
      });
    }
  }

  #context(entry: SnapshotEntry): Uint8Array {
    return snapshotContext({ ...this.#line.settings, documentSha256: entry.document.sha256 });
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}
