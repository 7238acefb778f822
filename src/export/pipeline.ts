// source ─▶ prepare (parse once, validate, describe, compress) ─▶ seal ─▶ publish to every store, or confirm.
import type { ReceivedConfiguration } from '../plugin/index.ts';
import { Stopwatch } from '../resilience/index.ts';
import type { PreparedDocument } from '../snapshot/document-worker.ts';
import type { Head } from '../snapshot/head.ts';
import { encodeSignedHead } from '../snapshot/signed-head.ts';
import { judge } from './acceptance.ts';
import { asOf } from './as-of.ts';
import { isAsYoung, isConfirmationDue } from './confirm-due.ts';
import type { Unsettled } from './contention.ts';
import { type Candidate, currentEntry, type Decision, decide } from './decide.ts';
import { describeEntry } from './entry.ts';
import { uploadForTime } from './first-upload.ts';
import { keptHeads, split } from './hold-stores.ts';
import type { LineDependencies, LineSettings } from './line.ts';
import { type LineHeads, readLineHeads } from './line-heads.ts';
import { LineWriter } from './line-writer.ts';
import {
  aliveHead,
  confirmedHead,
  type HeadFacts,
  publishedHead,
  withoutCurrent,
  withoutHold,
} from './next-head.ts';
import { warnNotNewer } from './not-newer.ts';
import { publish, type StoreResult } from './publish.ts';
import { keepRefused } from './refused.ts';
import { Report } from './report.ts';
import { seal } from './seal.ts';
import type { Settled, SettleOptions } from './settled.ts';
import { StoreClock } from './store-clock.ts';

/** The steps of one line. Keeps nothing that a restart could lose; who calls it decides when. */
export class LinePipeline {
  readonly settings: LineSettings;
  readonly #deps: LineDependencies;
  readonly #storeClock: StoreClock;
  readonly #writer: LineWriter;

  constructor(settings: LineSettings, deps: LineDependencies) {
    this.settings = settings;
    this.#deps = deps;
    this.#storeClock = new StoreClock(deps.clock);
    this.#writer = new LineWriter(settings, deps, this.#storeClock);
  }

  /** Before a session is requested: what it sends is evidence about these heads. */
  readHeads(signal: AbortSignal): Promise<LineHeads> {
    return readLineHeads(this.#deps.stores, { ...this.#deps, storeClock: this.#storeClock }, signal);
  }

  /** The next look at the same configuration publishes it anew: no store holds this snapshot whole. */
  republish(key: string): void {
    this.#writer.damaged(key);
  }

  /** Id of the store whose answers took too long to tell the time. */
  get slowStore(): string | undefined {
    return this.#storeClock.slowStore;
  }

  /** Milliseconds since 1970 by the store's clock. */
  now(): number {
    return this.#storeClock.timeAt();
  }

  /**
   * Brings the stores up to a configuration, or says why it needs another look: with heads read again and a new
   * session, whose frame is then evidence about them.
   *
   * @throws FallbackError when no store, or with `successPolicy: all` not every store, could be written
   */
  async settle(
    heads: LineHeads,
    received: ReceivedConfiguration,
    options: SettleOptions,
  ): Promise<Settled | Unsettled> {
    if (received.fromControlPlane && received.peerTime === undefined) return 'no clock';
    if (this.#storeClock.isDoubtful) return 'slow store';
    const stopwatch = new Stopwatch(this.#deps.clock);
    const stored = heads.base && currentEntry(heads.base);
    const current = stored !== undefined && this.#writer.isDamaged(stored.key) ? undefined : stored;
    const prepared = await this.#deps.prepare({ received, line: this.settings, current }, options.signal);
    stopwatch.lap('prepareMs');
    const candidate: Candidate = {
      configHash: prepared.configHash,
      documentLength: prepared.length,
      documentSha256: prepared.sha256,
      asOf: this.#asOf(received, prepared),
    };
    const report = new Report(this.settings.gatewayVersion, received, candidate, prepared, heads, stopwatch);
    const decision = this.#decide(candidate, heads, options.ownNonce);
    switch (decision.action) {
      case 'wait':
        return 'too close';
      case 'older':
      case 'held':
        warnNotNewer(this.#deps.log, decision, candidate);
        return this.#keep(report, decision.action, options.signal);
      case 'confirm':
        if (this.#writer.isDamaged(currentEntry(decision.base).key)) {
          return this.#publish(report, withoutCurrent(decision.base, this.now()), options);
        }
        return this.#confirm(report, decision.base, options);
      case 'publish':
        return this.#publish(report, decision.base && withoutHold(decision.base), options);
    }
  }

  /**
   * Says in every store that an exporter is there although the control plane is not. Where another exporter wrote
   * within the interval, that one has said it.
   *
   * @returns the results; undefined when nothing was due
   */
  async markAlive(
    heads: LineHeads,
    signal: AbortSignal,
    downMs = 0,
  ): Promise<readonly StoreResult[] | undefined> {
    const { base } = heads;
    if (base === undefined || this.#storeClock.isDoubtful || !this.#writer.isSignDue(base)) return undefined;
    const head = encodeSignedHead(
      aliveHead(base, this.#writer.facts(heads), 'down', downMs),
      this.#deps.signers,
    );
    const same = heads.readings.filter((reading) => reading.head?.nonce === base.nonce);
    return publish({ snapshot: undefined, head }, same, signal);
  }

  /**
   * Writes a head that an operator asked for, and no control plane, to every store that was read.
   *
   * @throws FallbackError what `make` throws; a store's own when too few took it
   */
  async replaceHead(
    heads: LineHeads,
    make: (facts: HeadFacts) => Head,
    signal: AbortSignal,
  ): Promise<{ readonly head: Head; readonly results: readonly StoreResult[] } | 'conflict'> {
    const head = make(this.#writer.facts(heads));
    const stores = this.#writer.levelled(heads, head.entries, signal, currentEntry(head).key);
    const to = { snapshot: undefined, ...split(heads, stores), successPolicy: 'any' as const };
    const results = await this.#writer.writeHead(head, heads, to, signal);
    return results === 'conflict' ? results : { head, results };
  }

  /**
   * What is stored stays, and is looked after all the same: on schedule a head says that an exporter is there, and a
   * store that was away or emptied gets it.
   */
  async #keep(
    report: Report,
    outcome: 'refused' | 'older' | 'held',
    signal: AbortSignal,
  ): Promise<Settled | Unsettled> {
    const { base } = report.heads;
    const kept = keptHeads(report.heads, this.settings.marginMs);
    if (
      base === undefined ||
      !(split(kept, kept.readings).lagging.length > 0 || this.#writer.isSignDue(base))
    ) {
      return {
        outcome: report.outcome(outcome, base?.sequence ?? null),
        heads: report.heads,
        nonce: undefined,
      };
    }
    const head = aliveHead(base, this.#writer.facts(report.heads), 'up');
    const to = split(kept, this.#writer.levelled(kept, head.entries, signal, currentEntry(head).key));
    const written = await this.#writer.write(report, outcome, head, { snapshot: undefined, ...to }, signal);
    return typeof written === 'string' ? written : { ...written, nonce: undefined };
  }

  #asOf(received: ReceivedConfiguration, { timestamp }: PreparedDocument): number {
    return asOf(this.#storeClock.timeAt(received.receivedAt), received.peerTime, timestamp);
  }

  #decide(candidate: Candidate, heads: LineHeads, ownNonce: string | undefined): Decision {
    const readings = heads.readings.map(({ store, head }) => ({ storeId: store.id, head }));
    const { marginMs, confirmIntervalMs } = this.settings;
    return decide(candidate, readings, {
      marginMs,
      confirmIntervalMs,
      now: this.now(),
      ...(ownNonce !== undefined && { ownNonce }),
    });
  }

  async #confirm(report: Report, base: Head, options: SettleOptions): Promise<Settled | Unsettled> {
    const { heads, candidate } = report;
    const uneven = heads.readings.some(({ head }) => head?.nonce !== base.nonce);
    const { confirmIntervalMs, marginMs } = this.settings;
    const rules = { confirm: options.confirm, confirmIntervalMs, now: this.now() };
    if (!uneven && !isConfirmationDue(candidate, base, rules)) {
      return { outcome: report.outcome('unchanged', base.sequence), heads, nonce: undefined };
    }
    const head = confirmedHead(base, candidate.asOf, this.#writer.facts(heads), this.settings.keep);
    const stores = this.#writer.levelled(heads, head.entries, options.signal, currentEntry(head).key);
    const to = { snapshot: undefined, stores };
    const written = await this.#writer.write(report, 'confirmed', head, to, options.signal);
    // Levelling found that no store has it.
    if (this.#writer.isDamaged(currentEntry(head).key)) return 'conflict';
    const session = { marginMs, ownNonce: options.ownNonce };
    if (typeof written === 'string' || isAsYoung(candidate, base, session)) return written;
    return { ...written, nonce: undefined };
  }

  async #publish(
    report: Report,
    base: Head | undefined,
    options: SettleOptions,
  ): Promise<Settled | Unsettled> {
    const { clock, sealing, signers, log } = this.#deps;
    const { prepared, heads, stopwatch } = report;
    const verdict = judge(prepared.findings, options.acceptReason, this.settings.writer);
    const sealed = await seal(sealing, this.settings, prepared, options.signal);
    stopwatch.lap('sealMs');
    const { accepted } = verdict;
    const described = () => {
      const facts = this.#writer.facts(heads);
      const { now, writer } = facts;
      const { asOf } = report.candidate;
      return { facts, entry: describeEntry({ prepared, sealed, asOf, exportedAt: now, writer, accepted }) };
    };
    const { facts, entry } = described();
    report.sealedBytes = sealed.bytes.length;
    if (verdict.refusals.length > 0) {
      const { readings } = heads;
      const refusal = { entry, sealed, findings: prepared.findings, facts, readings, signers, log };
      await keepRefused(refusal, options.signal);
      return this.#keep(report, 'refused', options.signal);
    }
    let uploaded: readonly string[] = [];
    if (!this.#storeClock.isTold) {
      const clocks = { clock, storeClock: this.#storeClock };
      uploaded = await uploadForTime(entry, sealed.bytes, heads.readings, clocks, options.signal);
      if (this.#storeClock.isDoubtful) return 'slow store';
      report.candidate = { ...report.candidate, asOf: this.#asOf(report.received, prepared) };
    }
    const dated = described();
    const snapshot = { key: entry.key, bytes: sealed.bytes, uploaded };
    const head = publishedHead(base, dated.entry, dated.facts, this.settings.keep);
    const stores = this.#writer.levelled(heads, head.entries.slice(1), options.signal);
    const written = await this.#writer.write(report, 'published', head, { snapshot, stores }, options.signal);
    if (typeof written !== 'string') this.#writer.mended();
    return written;
  }
}
