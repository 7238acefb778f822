import type { Socket } from 'node:net';
import type { Clock } from '../../resilience/index.ts';
import { ClientHello } from './client-hello.ts';
import { FrameWatch } from './frame-watch.ts';

export interface ObservationOptions {
  readonly clock: Clock;
  /** The control plane has so long for its first byte, counted from the data plane's whole hello. */
  readonly answerMs: number;
  /** Monotonic. */
  readonly openedAt: number;
}

/** A control plane answers a TLS hello within milliseconds; who was left alone for so long has seen it fail. */
const LEFT_UNANSWERED_MS = 1000;
/** Data planes that wait for their admission have given up on this one long before. */
const WATCH_MS = 60_000;
/** Over `/v2/outlet` a configuration follows the greeting within a fraction of a second, or never. */
const AFTER_REPLY_MS = 1000;

/** For a data plane's next word in the handshake and after the 101: it has nothing to wait for. */
const TURN_MS = 1000;

/** What the first bytes of a tunnel tell. Lets go of the sockets as soon as both questions are answered. */
export class TunnelObservation {
  readonly answered: Promise<boolean | undefined>;
  readonly carried: Promise<number | undefined>;
  readonly #dataPlane: Socket;
  readonly #controlPlane: Socket;
  readonly #options: ObservationOptions;
  readonly #over = new AbortController();
  readonly #hello = new ClientHello();
  #watch: FrameWatch | undefined = new FrameWatch();
  #turn: AbortController | undefined;
  #askedAt: number | undefined;
  #isAnswered = false;
  #replied = false;
  #tellAnswered: (answered: boolean | undefined) => void = () => {};
  #tellCarried: (tookMs: number | undefined) => void = () => {};

  constructor(dataPlane: Socket, controlPlane: Socket, options: ObservationOptions) {
    this.#dataPlane = dataPlane;
    this.#controlPlane = controlPlane;
    this.#options = options;
    this.answered = new Promise((resolve) => {
      this.#tellAnswered = resolve;
    });
    this.carried = new Promise((resolve) => {
      this.#tellCarried = resolve;
    });
    dataPlane.on('data', this.#onUp);
    controlPlane.on('data', this.#onDown);
  }

  /** The tunnel has ended, whoever began it. */
  end(by: 'data-plane' | 'control-plane' | 'us'): void {
    if (!this.#isAnswered) this.#answer(this.#atTheEnd(by));
    this.#decide(undefined);
  }

  readonly #onUp = (chunk: Buffer): void => {
    if (this.#askedAt === undefined) this.#hello.read(chunk);
    if (this.#askedAt === undefined && this.#hello.isWhole) {
      this.#askedAt = this.#options.clock.monotonic();
      this.#after(this.#options.answerMs, () => this.#answer(false));
    }
    this.#turn?.abort();
    this.#turn = undefined;
    this.#watch?.dataPlaneSent(chunk);
    this.#look();
  };

  readonly #onDown = (chunk: Buffer): void => {
    this.#answer(true);
    this.#watch?.controlPlaneSent(chunk);
    this.#look();
    if (this.#watch?.phase === 'handshake' || this.#watch?.phase === 'open') this.#isItsTurn();
  };

  /** Up to its introduction a data plane answers at once: who does not is none, and must not keep others waiting. */
  #isItsTurn(): void {
    // Once for all that the control plane says in a turn, which may be a gigabyte.
    if (this.#turn !== undefined) return;
    const turn = new AbortController();
    this.#turn = turn;
    this.#options.clock.sleep(TURN_MS, turn.signal).then(
      () => this.#decide(undefined),
      () => {},
    );
  }

  #look(): void {
    if (this.#watch === undefined) return;
    const { phase } = this.#watch;
    const tookMs = this.#options.clock.monotonic() - this.#options.openedAt;
    if (phase === 'carried') this.#decide(tookMs);
    else if (phase === 'given-up' || tookMs > WATCH_MS) this.#decide(undefined);
    else if (phase === 'replied' && !this.#replied) {
      this.#replied = true;
      this.#after(AFTER_REPLY_MS, () => this.#decide(undefined));
    }
  }

  /** Undefined: nobody knows whether it would have answered. */
  #atTheEnd(by: 'data-plane' | 'control-plane' | 'us'): boolean | undefined {
    const now = this.#options.clock.monotonic();
    if (by === 'us') return undefined;
    if (by === 'data-plane') {
      return this.#askedAt !== undefined && now - this.#askedAt >= LEFT_UNANSWERED_MS ? false : undefined;
    }
    // Nothing stands behind one that closes at once, whatever is coming. One that closes on a stranger, or has lost
    // patience with somebody who says nothing, does as it should.
    const atOnce = !this.#hello.hasBegun && now - this.#options.openedAt <= LEFT_UNANSWERED_MS;
    return this.#askedAt !== undefined || atOnce ? false : undefined;
  }

  #answer(answered: boolean | undefined): void {
    if (this.#isAnswered) return;
    this.#isAnswered = true;
    this.#tellAnswered(answered);
    this.#letGo();
  }

  #decide(tookMs: number | undefined): void {
    this.#turn?.abort();
    this.#watch = undefined;
    this.#tellCarried(tookMs);
    this.#letGo();
  }

  #letGo(): void {
    if (this.#watch !== undefined || !this.#isAnswered) return;
    this.#over.abort();
    this.#dataPlane.off('data', this.#onUp);
    this.#controlPlane.off('data', this.#onDown);
  }

  #after(ms: number, act: () => void): void {
    this.#options.clock.sleep(ms, this.#over.signal).then(act, () => {});
  }
}
