import { classify, codeOf, type FallbackError, kindOf } from '../../errors/index.ts';
import { peekFrame } from '../../kong/frame.ts';
import { type ControlPlaneSession, type ControlPlaneSettings, openSession } from '../../kong/index.ts';
import type { Clock } from '../../plugin/plugin.ts';
import { Backoff, type Random } from '../../resilience/index.ts';
import type { ControlPlaneView } from '../verdict.ts';
import type { Alarms } from './alarms.ts';

/**
 * A control plane that hangs behind TLS still answers looks, which go no further: the missing pong tells, early enough to
 * trip within 15 s. A data plane pings every 30 s and waits for 45.
 */
const PING_EVERY_MS = 4000;
const GONE_AFTER_MS = 9000;

/** What is used of a session with a control plane. */
export type HeldSession = Pick<ControlPlaneSession, 'frames' | 'close'>;

export interface OwnSessionOptions {
  /** Opens a session with one address; `sessionOpener` makes it. */
  readonly open: (address: string, signal: AbortSignal) => Promise<HeldSession>;
  readonly view: () => ControlPlaneView;
  /** Of the watch: the end of the session is a hint to look. */
  readonly lookNow: () => void;
  readonly alarms: Alarms;
  readonly clock: Clock;
  readonly random: Random;
}

/** With half of it at random, the first pause is a data plane's own: 5 to 10 s. */
const FIRST_PAUSE_MS = 10_000;
const LONGEST_PAUSE_MS = 60_000;

/**
 * The service's one session with the control plane, held while that is up. A control plane that has a data plane
 * attached keeps its export at hand and serves others fast; its frames tell which configuration it has now; and that
 * the session ends is the first sign that it is going. It refuses or says nothing: an alarm, for data planes may fare
 * better.
 */
export class OwnSession {
  readonly #options: OwnSessionOptions;
  readonly #backoff: Backoff;
  /** Of the session or the pause that goes on now. */
  #current: AbortController | undefined;
  #onChange: (() => void) | undefined;
  #configHash: string | undefined;

  constructor(options: OwnSessionOptions) {
    this.#options = options;
    this.#backoff = new Backoff(FIRST_PAUSE_MS, LONGEST_PAUSE_MS, options.random);
  }

  /** What the control plane has now; undefined while no session has received a configuration. */
  configHash(): string | undefined {
    return this.#configHash;
  }

  /** To be told of each change of the verdict. */
  changed(view: ControlPlaneView, before: ControlPlaneView): void {
    if (view.verdict === 'down') this.#current?.abort();
    if (view.verdict === 'up' && before.verdict === 'down') this.#backoff.succeeded();
    this.#onChange?.();
  }

  /** Until the signal fires. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const { address, verdict } = this.#options.view();
      if (verdict === 'up' && address !== undefined) {
        await this.#during(signal, (until) => this.#hold(address, until));
        if (this.#options.view().verdict === 'up') await this.#during(signal, (until) => this.#rest(until));
      } else await this.#untilChange(signal);
    }
  }

  async #hold(address: string, signal: AbortSignal): Promise<void> {
    let session: HeldSession | undefined;
    try {
      session = await this.#options.open(address, signal);
      for await (const { bytes } of session.frames()) {
        this.#configHash = peekFrame(bytes).configHash;
        this.#options.alarms.passed(address, 'session');
        this.#backoff.succeeded();
      }
      this.#options.lookNow();
    } catch (thrown) {
      if (!signal.aborted) this.#ended(address, classify(thrown, address), session !== undefined);
    } finally {
      this.#configHash = undefined;
      await session?.close();
    }
  }

  #ended(address: string, error: FallbackError, opened: boolean): void {
    const { code, hint, message } = error;
    const alarm = { code, message, ...(hint !== undefined && { hint }) };
    if (isRefusal(error, opened)) this.#options.alarms.raise(address, alarm, opened ? 'session' : 'upgrade');
    else this.#options.lookNow();
  }

  async #rest(signal: AbortSignal): Promise<void> {
    await this.#options.clock.sleep(this.#backoff.next(), signal).catch(() => {});
  }

  /** Runs what a change of the verdict may end. */
  async #during(signal: AbortSignal, work: (until: AbortSignal) => Promise<void>): Promise<void> {
    const current = new AbortController();
    const stop = () => current.abort();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    this.#current = current;
    try {
      await work(current.signal);
    } finally {
      this.#current = undefined;
      signal.removeEventListener('abort', stop);
    }
  }

  #untilChange(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const go = () => {
        this.#onChange = undefined;
        signal.removeEventListener('abort', go);
        resolve();
      };
      this.#onChange = go;
      signal.addEventListener('abort', go, { once: true });
    });
  }
}

/** The control plane lives and will not have us; otherwise a look finds out what became of it. */
function isRefusal(error: FallbackError, opened: boolean): boolean {
  if (codeOf(error) === 'KF_CP_SILENT') return true;
  const kind = kindOf(error);
  return kind === 'denied' || kind === 'invalid' || (opened && kind !== 'unavailable');
}

export interface SessionIdentity {
  /** Asked for each session, since certificates are exchanged while we run. */
  readonly controlPlane: () => ControlPlaneSettings;
  readonly gatewayVersion: string;
  /** Stays the same over restarts: the control plane lists each for 14 days. */
  readonly nodeId: string;
  readonly nodeHostname: string;
  /** Names of those the control plane has configured; it sends nothing to one that lacks any. */
  readonly plugins: readonly string[];
  /** Largest configuration accepted, compressed bytes; default 16 MiB. */
  readonly maxPayloadBytes?: number;
  readonly clock: Clock;
}

/** Opens sessions that the control plane's list of data planes shows as a relay's. */
export function sessionOpener(identity: SessionIdentity): OwnSessionOptions['open'] {
  return (address, signal) =>
    openSession({
      ...identity,
      controlPlane: { ...identity.controlPlane(), addresses: [address] },
      labels: { 'kongfallback-role': 'relay' },
      pingEveryMs: PING_EVERY_MS,
      goneAfterMs: GONE_AFTER_MS,
      signal,
    });
}
