// The long-running exporter of one line: keeps a session, publishes every change, asks for fresh evidence on schedule.
import { type FallbackError, kindOf } from '../errors/index.ts';
import type { ReceivedConfiguration, Source } from '../plugin/index.ts';
import { Backoff, type Random } from '../resilience/index.ts';
import type { Unsettled } from './contention.ts';
import { type Dialled, dial } from './dial.ts';
import { EventQueue } from './event-queue.ts';
import { EventTimers } from './event-timers.ts';
import { Grace } from './grace.ts';
import type { LineHeads } from './line-heads.ts';
import { LineReport, type LineReportDependencies } from './line-report.ts';
import type { Link } from './link.ts';
import { LinkPair } from './link-pair.ts';
import type { LinePipeline } from './pipeline.ts';
import type { Settled } from './settled.ts';

export interface FollowDependencies extends LineReportDependencies {
  readonly source: Source;
  readonly random: Random;
  /**
   * After each configuration that was settled; its failure is logged and changes nothing. Returns the heads after it
   * where it wrote one: the same configuration, so that the session stays evidence about it.
   */
  readonly housekeep: (signal: AbortSignal, heads: LineHeads) => Promise<LineHeads | undefined>;
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
  | Dialled
  | { readonly type: 'dial' | 'confirm' | 'retry' };

/** The control plane is asked again after 1 to 30 s, as a data plane does after 5 to 10. */
const DIAL_MS = { first: 2000, longest: 30_000 };
const STORE_MS = { first: 1000, longest: 60_000 };
/** Pauses before another look, by its reason (reliability.md: a lost race at once, what is too close later). */
const AGAIN_MS: Readonly<Record<Unsettled, number>> = {
  conflict: 500,
  'no clock': 3000,
  'slow store': 3000,
  'too close': 30_000,
};

export class LineFollower {
  readonly #line: LinePipeline;
  readonly #settings: FollowSettings;
  readonly #deps: FollowDependencies;
  readonly #events = new EventQueue<Event>();
  readonly #report: LineReport;
  readonly #dialling: Backoff;
  readonly #storing: Backoff;
  readonly #links = new LinkPair();
  /** Whose configuration waits for a store; its session may have ended meanwhile. */
  #unstored: Link | undefined;
  #isDialling = false;
  readonly #timers: EventTimers<'dial' | 'retry'>;
  #publishedAt = Number.NEGATIVE_INFINITY;
  /** Of the service. */
  #stop: AbortSignal = new AbortController().signal;
  /** Of what is under way: fires the grace later than `#stop`. */
  #work: AbortSignal = this.#stop;

  constructor(line: LinePipeline, settings: FollowSettings, deps: FollowDependencies) {
    this.#line = line;
    this.#settings = settings;
    this.#deps = deps;
    this.#report = new LineReport(line.settings.gatewayVersion, deps);
    this.#timers = new EventTimers(deps.clock, (type) =>
      this.#events.put({ type }, (waiting) => waiting.type === type),
    );
    this.#dialling = new Backoff(DIAL_MS.first, DIAL_MS.longest, deps.random);
    this.#storing = new Backoff(STORE_MS.first, STORE_MS.longest, deps.random);
  }

  /** Asks for evidence that the published configuration is still the control plane's: a fresh session. */
  confirm(): void {
    this.#events.put({ type: 'confirm' }, ({ type }) => type === 'confirm');
  }

  /** Until the signal fires; then what is being published is finished, within the grace. */
  async run(stop: AbortSignal): Promise<void> {
    const grace = new Grace(stop, this.#settings.graceMs, this.#deps.clock);
    this.#stop = stop;
    this.#work = grace.signal;
    this.#events.put({ type: 'dial' });
    try {
      for (;;) await this.#handle(await this.#events.take(stop));
    } catch (error) {
      if (kindOf(error) !== 'aborted') throw error;
    } finally {
      grace.end();
      this.#timers.stop();
      await this.#links.close();
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
        if (this.#links.current === undefined) await this.#markAlive();
        return this.#dial();
    }
  }

  #dial(): void {
    if (this.#isDialling || this.#links.hasNext) return;
    this.#isDialling = true;
    dial(this.#line, this.#deps.source, this.#stop).then(
      (event) => this.#events.put(event),
      () => {},
    );
  }

  #linked(link: Link): void {
    this.#isDialling = false;
    this.#links.add(link);
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
    if (at === 'stores') this.#report.storesFail(error, this.#stop);
    else this.#report.lost(error);
    if (this.#links.current === undefined) this.#timers.in(this.#dialling.next(), 'dial');
    else if (at === 'source') await this.#markAlive();
  }

  async #ended(link: Link, error: FallbackError): Promise<void> {
    const was = await this.#links.ended(link);
    if (was === 'next') {
      // Evidence was asked for and none came: what is published is not confirmed.
      this.#report.lost(error);
      await this.#markAlive();
    } else if (was === 'current' && this.#links.current === undefined) {
      this.#report.lost(error);
      this.#deps.status.update({ connected: false });
      this.#timers.in(this.#dialling.next(), 'dial');
    }
  }

  async #frame(link: Link, received: ReceivedConfiguration): Promise<void> {
    if (!(await this.#links.heard(link))) return;
    this.#dialling.succeeded();
    this.#report.heard();
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
      this.#report.failed(thrown, this.#work);
      this.#timers.in(this.#storing.next(), 'retry');
    }
  }

  async #settled(link: Link, { outcome, heads, nonce }: Settled): Promise<void> {
    link.pending = undefined;
    this.#unstored = undefined;
    link.heads = heads;
    link.nonce = nonce ?? link.nonce;
    this.#report.settled(outcome, heads.base);
    if (outcome.outcome === 'published') this.#publishedAt = this.#deps.clock.monotonic();
    if (outcome.stores.some(({ outcome: result }) => result === 'failed')) {
      this.#timers.in(this.#storing.next(), 'dial');
    } else {
      this.#storing.succeeded();
    }
    const after = await this.#deps.housekeep(this.#work, heads).catch((thrown: unknown) => {
      this.#report.housekeepingFailed(thrown, this.#work);
      return undefined;
    });
    if (after !== undefined) link.replaced(after);
  }

  /** Heads read again, and a new session whose frame is evidence about them. */
  #again(reason: Unsettled): void {
    this.#deps.log.info({ event: 'export.again', reason }, 'the stored head has to be looked at again');
    this.#timers.in(AGAIN_MS[reason] * (0.5 + this.#deps.random()), 'dial');
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
      this.#report.storesFail(thrown, this.#work);
      return this.#timers.in(this.#storing.next(), 'retry');
    }
    await this.#store(link);
  }

  async #markAlive(): Promise<void> {
    try {
      const heads = await this.#line.readHeads(this.#work);
      await this.#line.markAlive(heads, this.#work, this.#report.downMs());
    } catch (thrown) {
      this.#report.storesFail(thrown, this.#work);
    }
  }
}
