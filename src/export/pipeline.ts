// source ─▶ prepare (parse once, validate, describe, compress) ─▶ seal ─▶ publish to every store, or confirm.
import type { Logger, ReceivedConfiguration, Source } from '../plugin/index.ts';
import { type Clock, Stopwatch } from '../resilience/index.ts';
import type { PreparedDocument } from '../snapshot/document-worker.ts';
import type { Signer } from '../snapshot/keys.ts';
import type { Sealing } from '../snapshot/sealing.ts';
import { encodeSignedHead } from '../snapshot/signed-head.ts';
import type { SnapshotStore } from '../snapshot/snapshot-store.ts';
import { judge } from './acceptance.ts';
import { asOf } from './as-of.ts';
import { type Unsettled, unsettled } from './contention.ts';
import { type Candidate, currentEntry, type Decision, decide, nextSequence } from './decide.ts';
import { describeEntry, time } from './entry.ts';
import { type LineHeads, readLineHeads } from './line-heads.ts';
import { confirmedHead, type HeadFacts, publishedHead } from './next-head.ts';
import type { ExportOutcome } from './outcome.ts';
import type { Prepare } from './prepare-step.ts';
import { publish, type StoreResult } from './publish.ts';
import { receiveFirst } from './receive.ts';
import { keepRefused } from './refused.ts';
import { seal } from './seal.ts';
import { StoreClock } from './store-clock.ts';

export interface LineSettings {
  readonly cluster: string;
  readonly gatewayVersion: string;
  /** This exporter's name. */
  readonly writer: string;
  readonly marginMs: number;
  readonly confirmIntervalMs: number;
  readonly keepLast: number;
  /** `any`: one store is success; `all`: every store must have it. */
  readonly successPolicy: 'any' | 'all';
}

export interface ExportDependencies {
  readonly source: Source;
  readonly stores: readonly SnapshotStore[];
  readonly prepare: Prepare;
  readonly sealing: Sealing;
  readonly signers: readonly Signer[];
  readonly clock: Clock;
  /** 32 hex digits, fresh at each call. */
  readonly nonce: () => string;
  readonly log: Logger;
}

export interface ExportOnceOptions {
  readonly signal: AbortSignal;
  /** Lets findings pass that a validator marked acceptable; recorded in the head. */
  readonly acceptReason?: string;
}

/** A foreign exporter wrote in between, or two control planes are too close to call: look again this often. */
const MAX_ROUNDS = 6;
const ROUND_PAUSE_MS = 1000;

/** Exports one line: one exact gateway version. Keeps nothing between calls that a restart could lose. */
export class LineExporter {
  readonly #settings: LineSettings;
  readonly #deps: ExportDependencies;
  readonly #storeClock: StoreClock;
  #lastSequence = 0;

  constructor(settings: LineSettings, deps: ExportDependencies) {
    this.#settings = settings;
    this.#deps = deps;
    this.#storeClock = new StoreClock(deps.clock);
  }

  /** Receives one configuration and brings the stores up to it. */
  async once(options: ExportOnceOptions): Promise<ExportOutcome> {
    const { clock, log } = this.#deps;
    for (let round = 1; ; round++) {
      const outcome = await this.#round(options);
      if (typeof outcome !== 'string') return outcome;
      if (round === MAX_ROUNDS) throw unsettled(outcome);
      log.info(
        { event: 'export.again', round, reason: outcome },
        'the stored head has to be looked at again',
      );
      await clock.sleep(ROUND_PAUSE_MS * round, options.signal);
    }
  }

  /** A reason to look again, or the outcome. Heads are read first, then the session is requested: evidence. */
  async #round(options: ExportOnceOptions): Promise<ExportOutcome | Unsettled> {
    const { clock, log, source, stores } = this.#deps;
    const stopwatch = new Stopwatch(clock);
    const heads = await readLineHeads(stores, this.#storeClock, log, options.signal);
    stopwatch.lap('readHeadsMs');
    const { session, received } = await receiveFirst(source, this.#settings.gatewayVersion, options.signal);
    try {
      stopwatch.lap('receiveMs');
      if (received.fromControlPlane && received.peerTime === undefined) return 'no clock';
      return await this.#settle(heads, received, stopwatch, options);
    } finally {
      await session.close();
    }
  }

  async #settle(
    heads: LineHeads,
    received: ReceivedConfiguration,
    stopwatch: Stopwatch,
    options: ExportOnceOptions,
  ): Promise<ExportOutcome | Unsettled> {
    const arrival = this.#storeClock.timeAt(received.receivedAt);
    const prepared = await this.#deps.prepare(
      { received, line: this.#settings, current: heads.base && currentEntry(heads.base) },
      options.signal,
    );
    stopwatch.lap('prepareMs');
    const candidate: Candidate = {
      configHash: prepared.configHash,
      documentLength: prepared.length,
      documentSha256: prepared.sha256,
      asOf: asOf(arrival, received.peerTime, prepared.timestamp),
    };
    const decision = decide(
      candidate,
      heads.readings.map(({ store, head }) => ({ storeId: store.id, head })),
      {
        marginMs: this.#settings.marginMs,
        confirmIntervalMs: this.#settings.confirmIntervalMs,
        now: this.#storeClock.timeAt(),
      },
    );
    const report = { candidate, prepared, heads, stopwatch };
    switch (decision.action) {
      case 'wait':
        return 'too close';
      case 'older':
      case 'held':
        this.#warnNotNewer(decision, candidate);
        return this.#outcome(report, decision.action, null, []);
      case 'confirm':
        return this.#confirm(report, decision.base, options);
      case 'publish':
        return this.#publish(report, decision.base, options);
    }
  }

  async #confirm(report: Report, base: NonNullable<LineHeads['base']>, options: ExportOnceOptions) {
    const due = this.#storeClock.timeAt() - Date.parse(base.confirmedAt) >= this.#settings.confirmIntervalMs;
    const lagging = report.heads.readings.some(({ head }) => head?.nonce !== base.nonce);
    if (!due && !lagging) return this.#outcome(report, 'unchanged', base.sequence, []);
    const facts = this.#facts(report.heads);
    const head = encodeSignedHead(confirmedHead(base, report.candidate.asOf, facts), this.#deps.signers);
    // A store without the current snapshot must not be given a head that names it: levelling copies both.
    const current = currentEntry(base).key;
    const holders = report.heads.readings.filter((reading) =>
      reading.head?.entries.some(({ key }) => key === current),
    );
    const stores = await publish({ snapshot: undefined, head }, holders, options.signal);
    return this.#concluded(report, 'confirmed', facts.sequence, stores);
  }

  async #publish(report: Report, base: LineHeads['base'], options: ExportOnceOptions) {
    const { sealing, signers, log } = this.#deps;
    const { prepared, candidate, heads, stopwatch } = report;
    const verdict = judge(prepared.findings, options.acceptReason, this.#settings.writer);
    const sealed = await seal(sealing, this.#settings, prepared, options.signal);
    stopwatch.lap('sealMs');
    const facts = this.#facts(heads);
    const entry = describeEntry({
      prepared,
      sealed,
      asOf: candidate.asOf,
      exportedAt: facts.now,
      writer: facts.writer,
      accepted: verdict.accepted,
    });
    if (verdict.refusals.length > 0) {
      await keepRefused(
        { entry, sealed, findings: prepared.findings, facts, readings: heads.readings, signers, log },
        options.signal,
      );
      return this.#outcome(report, 'refused', base?.sequence ?? null, [], sealed.bytes.length);
    }
    const head = encodeSignedHead(publishedHead(base, entry, facts, this.#settings.keepLast), signers);
    const snapshot = { key: entry.key, bytes: sealed.bytes };
    const stores = await publish({ snapshot, head }, heads.readings, options.signal);
    stopwatch.lap('publishMs');
    return this.#concluded(report, 'published', facts.sequence, stores, sealed.bytes.length);
  }

  #facts(heads: LineHeads): HeadFacts {
    const { cluster, gatewayVersion, writer } = this.#settings;
    const now = this.#storeClock.timeAt();
    const sequence = nextSequence(
      heads.readings.map(({ head }) => head),
      this.#lastSequence,
      now,
    );
    return { cluster, gatewayVersion, writer, nonce: this.#deps.nonce(), now, sequence };
  }

  /** Success by policy; a lost race is looked at again before anything else is concluded. */
  #concluded(
    report: Report,
    outcome: 'published' | 'confirmed',
    sequence: number,
    written: readonly StoreResult[],
    sealedBytes: number | null = null,
  ): ExportOutcome | Unsettled {
    const unread = report.heads.failures.map(({ store, error }) => ({
      store,
      outcome: 'failed' as const,
      error,
    }));
    const stores = [...written, ...unread];
    const good = stores.filter((result) => result.outcome === 'written').length;
    const enough = this.#settings.successPolicy === 'all' ? good === stores.length : good > 0;
    if (stores.some((result) => result.outcome === 'conflict')) return 'conflict';
    if (!enough) throw stores.find(({ error }) => error !== undefined)?.error ?? unsettled('conflict');
    this.#lastSequence = sequence;
    return this.#outcome(report, outcome, sequence, stores, sealedBytes);
  }

  #outcome(
    { candidate, prepared, stopwatch }: Report,
    outcome: ExportOutcome['outcome'],
    sequence: number | null,
    stores: readonly StoreResult[],
    sealedBytes: number | null = null,
  ): ExportOutcome {
    return {
      gatewayVersion: this.#settings.gatewayVersion,
      outcome,
      sequence,
      configHash: prepared.configHash,
      counts: prepared.counts,
      documentBytes: prepared.length,
      sealedBytes,
      asOf: time(candidate.asOf),
      stores,
      findings: prepared.findings,
      timings: stopwatch.laps(),
    };
  }

  #warnNotNewer(decision: Decision, candidate: Candidate): void {
    const fields = { event: `export.${decision.action}`, configHash: candidate.configHash };
    if (decision.action === 'older') {
      const message =
        'control planes disagree: a store holds a newer configuration than this control plane sends';
      this.#deps.log.error({ ...fields, store: decision.against }, message);
    } else {
      this.#deps.log.warn(fields, 'not published: a rollback is in force that rejects this configuration');
    }
  }
}

interface Report {
  readonly candidate: Candidate;
  readonly prepared: PreparedDocument;
  readonly heads: LineHeads;
  readonly stopwatch: Stopwatch;
}
