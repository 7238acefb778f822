import { codeOf, FallbackError } from '../../errors/index.ts';
import { type Address, controlPlaneError } from '../../kong/index.ts';
import type { Findings, StandingFinding } from '../../observe/index.ts';
import type { Clock, Logger } from '../../plugin/plugin.ts';
import { aborted, type BreakerState, type Random } from '../../resilience/index.ts';
import type { ControlPlaneView } from '../verdict.ts';
import { Alarms } from './alarms.ts';
import { WatchJudge } from './judge.ts';
import type { Look, LookDepth } from './look.ts';
import { type Landed, WatchLooks } from './looks.ts';
import { WatchSchedule } from './schedule.ts';
import { WatchTime } from './steady-time.ts';
import { WatchView } from './view.ts';

export interface ControlPlaneWatchOptions {
  /** At least one. */
  readonly addresses: readonly Address[];
  readonly look: Look;
  /** A sidecar's looks never go beyond TLS: one for each data plane would fill the control plane's log. */
  readonly form: 'service' | 'sidecar';
  /** Without an answer for so long, it is down. */
  readonly tripMs: number;
  /** Down, it has to answer for so long without a failure to be back; doubled while it flaps, up to `maxStableMs`. */
  readonly stableMs: number;
  readonly maxStableMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly findings: Findings;
  /** Told of each change of the verdict, before anybody who waits in `settled`. */
  readonly onChange?: (view: ControlPlaneView, before: ControlPlaneView) => void;
}

/**
 * Knows whether the control plane is there: looks at it, hears what tunnels report, and keeps the verdict. Only a
 * failure of the transport trips it; that we are refused is an alarm (a finding), since data planes may not be.
 */
export class ControlPlaneWatch {
  readonly alarms: Alarms;
  readonly #options: ControlPlaneWatchOptions;
  readonly #clock: Clock;
  readonly #time: WatchTime;
  readonly #judge: WatchJudge;
  readonly #looks: WatchLooks;
  readonly #schedule: WatchSchedule;
  readonly #view: WatchView;
  readonly #closed = new AbortController();
  readonly #waiting = new Set<() => void>();
  #address: string | undefined;
  #nap: AbortController | undefined;
  #awake = false;

  constructor(options: ControlPlaneWatchOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#time = new WatchTime(options.clock);
    this.alarms = new Alarms(options.findings);
    const deepest: LookDepth = options.form === 'sidecar' ? 'tls' : 'upgrade';
    this.#judge = new WatchJudge(options);
    this.#looks = new WatchLooks(options.addresses, options.look, options.clock, () => this.#wake());
    this.#schedule = new WatchSchedule({ ...options, deepest }, this.#judge, this.#looks, this.alarms);
    this.#view = new WatchView(options.clock, options.log);
  }

  view(): ControlPlaneView {
    return this.#view.at(this.#address);
  }

  /** closed: data planes go to the control plane; open: they do not; half-open: it answers, and is on trial. */
  get breakerState(): BreakerState {
    return this.#judge.breaker.state;
  }

  /** Until the signal fires or `close` is called. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = () => this.close();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) this.close();
    try {
      while (!this.#closed.signal.aborted) {
        this.#awake = false;
        this.#turn();
        await this.#pause();
      }
    } finally {
      signal.removeEventListener('abort', stop);
      this.close();
    }
  }

  /**
   * Waits for a verdict while the present one is doubtful; answers at once otherwise, and after `waitMs` with what
   * is known then.
   *
   * @throws FallbackError the abort
   */
  async settled(options: { waitMs: number; signal: AbortSignal }): Promise<ControlPlaneView> {
    const { signal, waitMs } = options;
    if (signal.aborted) throw aborted(signal);
    if (this.#view.verdict !== 'doubtful' || this.#closed.signal.aborted) return this.view();
    const over = new AbortController();
    const stop = () => over.abort();
    signal.addEventListener('abort', stop, { once: true });
    this.#waiting.add(stop);
    try {
      await this.#clock.sleep(waitMs, over.signal).catch(() => {});
    } finally {
      this.#waiting.delete(stop);
      signal.removeEventListener('abort', stop);
    }
    if (signal.aborted) throw aborted(signal);
    return this.view();
  }

  /** Somebody saw something odd: looks soon, as deep as this form may; many calls are one look. */
  lookNow(): void {
    this.#schedule.hint();
    this.#wake();
  }

  /** A tunnel reached no address of the control plane. */
  tunnelFailed(error: unknown): void {
    if (this.#view.verdict !== 'down') {
      this.#change(() => this.#judge.failed(this.#time.now(), tunnelError(error), 'tls'));
    }
    this.lookNow();
  }

  /**
   * A newly opened tunnel carried no byte from the control plane within its time. Not to be told of a tunnel whose
   * data plane has itself not yet sent a whole TLS ClientHello: a control plane has nothing to answer to that, and
   * two idle strangers would switch the fleet over.
   */
  tunnelSilent(): void {
    this.#change(() => this.#judge.tunnelSilent(this.#time.now()));
    this.lookNow();
  }

  /** A newly opened tunnel carried a byte from the control plane. */
  tunnelAnswered(): void {
    this.#judge.tunnelAnswered();
  }

  /** Standing refusals of our own looks and session. */
  standingAlarms(): readonly StandingFinding[] {
    return this.alarms.list();
  }

  /** Ends all looks and timers; whoever waits for a verdict gets what is known. */
  close(): void {
    this.#closed.abort();
    this.#looks.abort();
    this.#judge.breaker.shutdown();
    this.#letGo();
    this.#wake();
  }

  #turn(): void {
    this.#time.woke();
    const now = this.#time.now();
    for (const landed of this.#looks.take()) this.#change(() => this.#hear(landed, now));
    this.#change(() => this.#doubtWhatHangs(now));
    this.#change(() => this.#judge.at(now));
    this.#schedule.launchIfDue(now, this.#address);
  }

  #hear({ answer, flight }: Landed, now: number): void {
    for (const { address, answer: one } of answer.answers) {
      if (!one.answers) continue;
      if (one.alarm === undefined) this.alarms.passed(address.text, flight.depth);
      else this.alarms.raise(address.text, one.alarm, flight.depth);
    }
    if (answer.address === undefined) {
      this.#judge.failed(now, answer.error, flight.depth);
    } else {
      this.#address = answer.address.text;
      this.#judge.answered(now, flight.depth);
    }
  }

  #doubtWhatHangs(now: number): void {
    const { oldest } = this.#looks;
    const { verdict } = this.#judge;
    if (oldest === undefined || verdict === 'doubtful' || verdict === 'down') return;
    if (now - oldest.startedAt < this.#schedule.hangsAfterMs) return;
    const who = this.#options.addresses.map(({ text }) => text).join(', ');
    const message = `${who}: no answer for ${Math.round(now - oldest.startedAt)} ms`;
    this.#judge.failed(oldest.startedAt, controlPlaneError('KF_CP_CONNECT_TIMEOUT', message), oldest.depth);
  }

  #change(act: () => void): void {
    if (this.#closed.signal.aborted) return;
    act();
    const { verdict } = this.#judge;
    if (verdict === this.#view.verdict) return;
    const { view, before } = this.#view.become(verdict, this.#judge.error, this.#address);
    // A look that began under another verdict says nothing of this one, but for what made it doubtful.
    if (verdict !== 'doubtful') this.#looks.abort();
    this.#options.onChange?.(view, before);
    if (verdict !== 'doubtful') this.#letGo();
    this.#wake();
  }

  #letGo(): void {
    for (const go of [...this.#waiting]) go();
  }

  #wake(): void {
    this.#awake = true;
    this.#nap?.abort();
  }

  async #pause(): Promise<void> {
    const now = this.#time.now();
    const ms = this.#awake ? 0 : Math.max(0, this.#schedule.nextAt(now) - now);
    this.#time.sleeping(ms);
    if (this.#awake || this.#closed.signal.aborted) return;
    const nap = new AbortController();
    this.#nap = nap;
    await this.#clock.sleep(ms, nap.signal).catch(() => {});
    this.#nap = undefined;
  }
}

/** Whatever a tunnel reports: its own classified error, or the socket's. */
function tunnelError(error: unknown): FallbackError {
  if (error instanceof FallbackError && codeOf(error) !== undefined) return error;
  const text = error instanceof Error ? error.message : 'no connection';
  return controlPlaneError('KF_CP_UNREACHABLE', `a tunnel got no connection: ${text}`, error);
}
