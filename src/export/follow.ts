// The long-running exporter of one line: keeps a session, publishes every change, asks for fresh evidence on schedule.
import { classify, type FallbackError, kindOf } from '../errors/index.ts';
import type { Findings } from '../observe/index.ts';
import type { Logger, ReceivedConfiguration, Source } from '../plugin/index.ts';
import { Backoff, type Clock, type Random } from '../resilience/index.ts';
import type { Unsettled } from './contention.ts';
import { EventQueue } from './event-queue.ts';
import { LineFindings } from './line-findings.ts';
import type { LineStatus } from './line-status.ts';
import { Link } from './link.ts';
import type { LinePipeline, Settled } from './pipeline.ts';

export interface FollowDependencies {
  readonly source: Source;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly findings: Findings;
  readonly status: LineStatus;
  /** After each confirmation; its failure is logged and changes nothing. */
  readonly housekeep: (signal: AbortSignal) => Promise<void>;
}

export interface FollowSettings {
  /** Between two publications; the first change after a quiet time is published at once. Milliseconds. */
  readonly delayMs: number;
  /** What is under way when the service stops may take this long. Milliseconds. */
  readonly graceMs: number;
}

type Event =
  | { readonly type: 'frame'; readonly link: Link; readonly received: ReceivedConfiguration }
  | { readonly type: 'ended'; readonly link: Link; readonly error: FallbackError }
  | { readonly type: 'linked'; readonly link: Link }
  | { readonly type: 'unlinked'; readonly error: FallbackError; readonly at: 'stores' | 'source' }
  | { readonly type: 'dial' | 'confirm' | 'retry' };

/** The control plane is asked again after 1 to 30 s, as a data plane does after 5 to 10. */
const DIAL_MS = { first: 2000, longest: 30_000 };
const STORE_MS = { first: 1000, longest: 60_000 };
/** Pauses before another look, by its reason (reliability.md: a lost race at once, what is too close later). */
const AGAIN_MS: Readonly<Record<Unsettled, number>> = {
  conflict: 500,
  'no clock': 3000,
  'too close': 30_000,
};
/** A configuration that is refused for so long is critical: the backup grows old unnoticed. */
const BLOCKED_CRITICAL_MS = 900_000;

export class LineFollower {
  readonly #line: LinePipeline;
  readonly #settings: FollowSettings;
  readonly #deps: FollowDependencies;
  readonly #events = new EventQueue<Event>();
  readonly #findings: LineFindings;
  readonly #dialling: Backoff;
  readonly #storing: Backoff;
  #current: Link | undefined;
  /** Make before break: opened for fresh evidence, takes over with its first frame. */
  #next: Link | undefined;
  /** Whose configuration waits for a store; its session may have ended meanwhile. */
  #unstored: Link | undefined;
  #isDialling = false;
  readonly #waiting = new Map<string, { readonly dueAt: number; readonly timer: AbortController }>();
  #publishedAt = Number.NEGATIVE_INFINITY;
  /** Of the service. */
  #stop: AbortSignal = new AbortController().signal;
  /** Of what is under way: fires the grace later than `#stop`. */
  #work: AbortSignal = this.#stop;

  constructor(line: LinePipeline, settings: FollowSettings, deps: FollowDependencies) {
    this.#line = line;
    this.#settings = settings;
    this.#deps = deps;
    this.#findings = new LineFindings(deps.findings, line.settings.gatewayVersion);
    this.#dialling = new Backoff(DIAL_MS.first, DIAL_MS.longest, deps.random);
    this.#storing = new Backoff(STORE_MS.first, STORE_MS.longest, deps.random);
  }

  /** Asks for evidence that the published configuration is still the control plane's: a fresh session. */
  confirm(): void {
    this.#events.put({ type: 'confirm' }, ({ type }) => type === 'confirm');
  }

  /** Until the signal fires; then what is being published is finished, within the grace. */
  async run(stop: AbortSignal): Promise<void> {
    const grace = new AbortController();
    this.#stop = stop;
    this.#work = grace.signal;
    const startGrace = () => {
      this.#deps.clock.sleep(this.#settings.graceMs, grace.signal).then(
        () => grace.abort(),
        () => {},
      );
    };
    stop.addEventListener('abort', startGrace, { once: true });
    this.#events.put({ type: 'dial' });
    try {
      for (;;) await this.#handle(await this.#events.take(stop));
    } catch (error) {
      if (kindOf(error) !== 'aborted') throw error;
    } finally {
      grace.abort();
      for (const { timer } of this.#waiting.values()) timer.abort();
      stop.removeEventListener('abort', startGrace);
      await Promise.all([this.#current?.close(), this.#next?.close()]);
      this.#deps.status.update({ connected: false });
    }
  }

  async #handle(event: Event): Promise<void> {
    switch (event.type) {
      case 'dial':
        return this.#dial();
      case 'linked':
        return this.#linked(event.link);
      case 'unlinked':
        return this.#unlinked(event.error, event.at);
      case 'ended':
        return this.#ended(event.link, event.error);
      case 'frame':
        return this.#frame(event.link, event.received);
      case 'retry':
        return this.#retry();
      case 'confirm':
        if (this.#current === undefined) await this.#markAlive();
        return this.#dial();
    }
  }

  #dial(): void {
    if (this.#isDialling || this.#next !== undefined) return;
    this.#isDialling = true;
    this.#open().then(
      (event) => this.#events.put(event),
      () => {},
    );
  }

  async #open(): Promise<Event> {
    let at: 'stores' | 'source' = 'stores';
    try {
      const heads = await this.#line.readHeads(this.#stop);
      at = 'source';
      return {
        type: 'linked',
        link: await Link.open(heads, this.#deps.source, this.#line.settings.gatewayVersion, this.#stop),
      };
    } catch (thrown) {
      return { type: 'unlinked', error: classify(thrown, at), at };
    }
  }

  #linked(link: Link): void {
    this.#isDialling = false;
    if (this.#current === undefined) this.#current = link;
    else this.#next = link;
    this.#deps.status.update({ connected: true });
    void link.pump(
      (received) =>
        this.#events.put(
          { type: 'frame', link, received },
          (old) => old.type === 'frame' && old.link === link,
        ),
      (error) => this.#events.put({ type: 'ended', link, error }),
    );
  }

  async #unlinked(error: FallbackError, at: 'stores' | 'source'): Promise<void> {
    this.#isDialling = false;
    if (at === 'stores') this.#findings.storesFail(error);
    else this.#lost(error);
    if (this.#current === undefined) this.#later(this.#dialling.next(), { type: 'dial' });
    else if (at === 'source') await this.#markAlive();
  }

  async #ended(link: Link, error: FallbackError): Promise<void> {
    await link.close();
    if (link === this.#next) {
      // Evidence was asked for and none came: what is published is not confirmed.
      this.#next = undefined;
      this.#lost(error);
      await this.#markAlive();
    } else if (link === this.#current) {
      this.#current = this.#next;
      this.#next = undefined;
      if (this.#current !== undefined) return;
      this.#lost(error);
      this.#deps.status.update({ connected: false });
      this.#later(this.#dialling.next(), { type: 'dial' });
    }
  }

  #lost(error: FallbackError): void {
    this.#findings.unreachable(error);
    if (!this.#deps.status.controlPlane('down', this.#deps.clock.now())) return;
    this.#deps.log.warn({ event: 'control-plane.down', code: error.code, hint: error.hint }, error.message);
  }

  async #frame(link: Link, received: ReceivedConfiguration): Promise<void> {
    if (link === this.#next) {
      const former = this.#current;
      this.#current = link;
      this.#next = undefined;
      await former?.close();
    }
    if (link !== this.#current) return;
    this.#dialling.succeeded();
    this.#findings.heard();
    if (this.#deps.status.controlPlane('up', this.#deps.clock.now())) {
      this.#deps.log.info({ event: 'control-plane.up' }, 'the control plane sends configurations');
    }
    link.pending = received;
    this.#unstored = link;
    const wait = this.#publishedAt + this.#settings.delayMs - this.#deps.clock.monotonic();
    if (wait > 0) await this.#deps.clock.sleep(wait, this.#stop);
    await this.#store(link);
  }

  /** The newest configuration of a link → the stores. */
  async #store(link: Link): Promise<void> {
    const newer = this.#events.takeNow((event) => event.type === 'frame' && event.link === link);
    if (newer?.type === 'frame') link.pending = newer.received;
    if (link.pending === undefined) return;
    try {
      const options = { signal: this.#work, ownNonce: link.nonce, confirm: 'always' as const };
      const result = await this.#line.settle(link.heads, link.pending, options);
      if (typeof result === 'string') this.#again(result);
      else await this.#settled(link, result);
    } catch (thrown) {
      const error = classify(thrown, 'export');
      if (error.kind === 'aborted') throw error;
      this.#findings.storesFail(error);
      this.#deps.status.count('failed', this.#deps.clock.now());
      this.#deps.status.update({
        pendingSince: this.#deps.status.state.pendingSince ?? this.#deps.clock.now(),
      });
      this.#deps.log.error({ event: 'export.failed', code: error.code, hint: error.hint }, error.message);
      this.#later(this.#storing.next(), { type: 'retry' });
    }
  }

  async #settled(link: Link, { outcome, heads, nonce }: Settled): Promise<void> {
    const { clock, log, status, housekeep } = this.#deps;
    link.pending = undefined;
    this.#unstored = undefined;
    link.heads = heads;
    link.nonce = nonce ?? link.nonce;
    status.head(heads.base);
    status.count(outcome.outcome, clock.now());
    const blockedSince = outcome.outcome === 'refused' ? (status.state.blockedSince ?? clock.now()) : null;
    status.update({ blockedSince, lastExportMs: outcome.timings['totalMs'] ?? null });
    this.#findings.settled(
      outcome,
      blockedSince === null ? 0 : clock.now() - blockedSince,
      BLOCKED_CRITICAL_MS,
    );
    const { gatewayVersion, configHash, sequence, counts, timings } = outcome;
    const fields = { gatewayVersion, configHash, sequence, counts, durationMs: timings['totalMs'] };
    log.info({ event: `export.${outcome.outcome}`, ...fields }, `configuration ${outcome.outcome}`);
    if (outcome.outcome === 'published') this.#publishedAt = clock.monotonic();
    if (outcome.stores.some(({ outcome: result }) => result === 'failed')) {
      this.#later(this.#storing.next(), { type: 'dial' });
    } else {
      this.#storing.succeeded();
    }
    await housekeep(this.#work).catch((thrown: unknown) => {
      const error = classify(thrown, 'housekeeping');
      if (error.kind === 'aborted') throw error;
      log.warn({ event: 'housekeeping.failed', code: error.code }, error.message);
    });
  }

  /** Heads read again, and a new session whose frame is evidence about them. */
  #again(reason: Unsettled): void {
    this.#deps.log.info({ event: 'export.again', reason }, 'the stored head has to be looked at again');
    this.#later(AGAIN_MS[reason] * (0.5 + this.#deps.random()), { type: 'dial' });
  }

  /** A store failed. What was received is still evidence while the heads are those from before its session. */
  async #retry(): Promise<void> {
    const link = this.#unstored;
    if (link?.pending === undefined) return;
    try {
      const heads = await this.#line.readHeads(this.#work);
      if (!link.isEvidenceAbout(heads)) return this.#dial();
      link.heads = heads;
    } catch (thrown) {
      const error = classify(thrown, 'stores');
      if (error.kind === 'aborted') throw error;
      this.#findings.storesFail(error);
      return this.#later(this.#storing.next(), { type: 'retry' });
    }
    await this.#store(link);
  }

  async #markAlive(): Promise<void> {
    try {
      await this.#line.markAlive(await this.#line.readHeads(this.#work), this.#work);
    } catch (thrown) {
      const error = classify(thrown, 'stores');
      if (error.kind === 'aborted') throw error;
      this.#findings.storesFail(error);
    }
  }

  /** One of each kind waits at a time, the one that is due first: reasons come faster than they are dealt with. */
  #later(ms: number, event: { readonly type: 'dial' | 'retry' }): void {
    const dueAt = this.#deps.clock.monotonic() + ms;
    const waiting = this.#waiting.get(event.type);
    if (waiting !== undefined && waiting.dueAt <= dueAt) return;
    waiting?.timer.abort();
    const timer = new AbortController();
    this.#waiting.set(event.type, { dueAt, timer });
    this.#deps.clock.sleep(ms, timer.signal).then(
      () => {
        this.#waiting.delete(event.type);
        this.#events.put(event, ({ type }) => type === event.type);
      },
      () => {},
    );
  }
}
