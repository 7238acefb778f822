import type { Head } from '../snapshot/head.ts';
import { ALIVE_SHARE } from './confirm-due.ts';
import type { Unsettled } from './contention.ts';
import { type HeadDestinations, HeadWriter } from './head-writer.ts';
import { levelled } from './level.ts';
import type { LineDependencies, LineSettings } from './line.ts';
import type { LineHeads } from './line-heads.ts';
import type { HeadFacts } from './next-head.ts';
import type { ExportOutcome } from './outcome.ts';
import type { StoreToWrite } from './publish.ts';
import type { Report } from './report.ts';
import type { Settled } from './settled.ts';
import type { StoreClock } from './store-clock.ts';

/** Writes to the stores of one line: heads dated by the stores' clock, to stores that have what these heads list. */
export class LineWriter {
  readonly #settings: LineSettings;
  readonly #deps: LineDependencies;
  readonly #storeClock: StoreClock;
  readonly #heads: HeadWriter;
  #damagedKey: string | undefined;

  constructor(settings: LineSettings, deps: LineDependencies, storeClock: StoreClock) {
    this.#settings = settings;
    this.#deps = deps;
    this.#storeClock = storeClock;
    this.#heads = new HeadWriter(settings, deps);
  }

  /** No store holds this snapshot whole: it is published anew. */
  damaged(key: string): void {
    this.#damagedKey = key;
  }

  isDamaged(key: string): boolean {
    return key === this.#damagedKey;
  }

  /** A snapshot was published: nothing that is needed lacks. */
  mended(): void {
    this.#damagedKey = undefined;
  }

  /** Of a head that replaces these, now. */
  facts(heads: LineHeads): HeadFacts {
    return this.#heads.facts(heads, this.#storeClock.timeAt());
  }

  /** Whether it is time for a head that says only that an exporter is there. */
  isSignDue({ aliveAt }: Head): boolean {
    const age = this.#storeClock.timeAt() - Date.parse(aliveAt);
    return age >= ALIVE_SHARE * this.#settings.confirmIntervalMs;
  }

  /** @param neededKey without this one of the entries a store gets no head */
  levelled(
    heads: LineHeads,
    entries: Head['entries'],
    signal: AbortSignal,
    neededKey?: string,
  ): readonly StoreToWrite[] {
    const levelling = {
      entries,
      maxSealedBytes: this.#settings.maxSealedBytes,
      log: this.#deps.log,
      onLost: (key: string) => this.damaged(key),
      ...(neededKey !== undefined && { neededKey }),
    };
    return levelled(heads, levelling, signal);
  }

  /** @throws FallbackError a store's, when too few took it */
  writeHead(
    head: Head,
    heads: LineHeads,
    to: HeadDestinations,
    signal: AbortSignal,
  ): ReturnType<HeadWriter['write']> {
    return this.#heads.write(head, heads, to, signal);
  }

  /** For a configuration under way. Throws as `writeHead` does. */
  async write(
    report: Report,
    outcome: ExportOutcome['outcome'],
    head: Head,
    to: HeadDestinations,
    signal: AbortSignal,
  ): Promise<Settled | Extract<Unsettled, 'conflict'>> {
    const results = await this.#heads.write(head, report.heads, to, signal);
    report.stopwatch.lap('publishMs');
    if (typeof results === 'string') return results;
    return {
      outcome: report.outcome(outcome, head.sequence, results),
      heads: report.heads.after(head, results),
      nonce: head.nonce,
    };
  }
}
