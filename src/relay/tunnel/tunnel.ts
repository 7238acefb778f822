import type { Socket } from 'node:net';
import type { Clock } from '../../resilience/index.ts';
import { TunnelObservation } from './observation.ts';

export interface TunnelOptions {
  readonly clock: Clock;
  /** The control plane has so long for its first byte, counted from the data plane's TLS hello. Default: 5 s. */
  readonly answerMs?: number;
  /** False: nobody wants to know `answered` and `carried`, which are undefined then. Default: true. */
  readonly observed?: boolean;
}

export interface TunnelEnd {
  /** Who ended it first. */
  readonly by: 'data-plane' | 'control-plane' | 'us';
  /** Of the socket's error, such as ECONNRESET; absent when it was closed in order. */
  readonly code?: string;
}

/** What a data plane waits for TLS, and for each answer (hybrid mode's constant). */
const ANSWER_MS = 5000;
/** What was read from one side is still given to the other for so long. */
const FLUSH_MS = 2000;
/** One side has closed, the other has not, and no byte moved for so long: nobody is there any more. */
const HALF_CLOSED_MS = 30_000;

/**
 * Joins a data plane to a control plane, both sockets paused: bytes unopened, each side as fast as the other takes
 * them, half-closed when one side is. What is held in between is what Node buffers for two sockets. Never throws.
 */
export class Tunnel {
  /** Monotonic milliseconds. */
  readonly openedAt: number;
  /**
   * Whether the control plane sent a byte within `answerMs` of the data plane's TLS hello. Undefined when that cannot
   * be told: there was none, as from a check of the port or a stranger, or the data plane left at once.
   */
  readonly answered: Promise<boolean | undefined>;
  /**
   * Milliseconds from opening until a configuration passed, as far as that can be told from outside (FrameWatch);
   * undefined when it ended before, or was not recognised as a conversation of hybrid mode.
   */
  readonly carried: Promise<number | undefined>;
  /** When both sockets are closed. Does not reject. */
  readonly ended: Promise<TunnelEnd>;
  readonly #dataPlane: Socket;
  readonly #controlPlane: Socket;
  readonly #clock: Clock;
  readonly #over = new AbortController();
  readonly #observation: TunnelObservation | undefined;
  #end: TunnelEnd | undefined;
  #tellEnded: (end: TunnelEnd) => void = () => {};

  constructor(dataPlane: Socket, controlPlane: Socket, options: TunnelOptions) {
    const { answerMs = ANSWER_MS, clock, observed = true } = options;
    this.#dataPlane = dataPlane;
    this.#controlPlane = controlPlane;
    this.#clock = clock;
    this.openedAt = clock.monotonic();
    this.ended = new Promise((resolve) => {
      this.#tellEnded = resolve;
    });
    if (observed) {
      this.#observation = new TunnelObservation(dataPlane, controlPlane, {
        clock,
        answerMs,
        openedAt: this.openedAt,
      });
    }
    this.answered = this.#observation?.answered ?? Promise.resolve(undefined);
    this.carried = this.#observation?.carried ?? Promise.resolve(undefined);
    this.#follow(dataPlane, controlPlane, 'data-plane');
    this.#follow(controlPlane, dataPlane, 'control-plane');
    if (dataPlane.destroyed || controlPlane.destroyed) return;
    dataPlane.pipe(controlPlane);
    controlPlane.pipe(dataPlane);
  }

  /** From the data plane. */
  get bytesUp(): number {
    return this.#dataPlane.bytesRead;
  }

  /** From the control plane. */
  get bytesDown(): number {
    return this.#controlPlane.bytesRead;
  }

  close(): void {
    this.#endedBy({ by: 'us' });
    this.#letGo(this.#dataPlane);
    this.#letGo(this.#controlPlane);
  }

  #follow(socket: Socket, other: Socket, by: TunnelEnd['by']): void {
    const onClose = () => {
      // Closed without a word: somebody in this process destroyed it.
      this.#endedBy({ by: 'us' });
      if (other.closed) this.#over.abort();
      else this.#letGo(other);
      if (other.closed && this.#end !== undefined) this.#tellEnded(this.#end);
    };
    socket.once('end', () => {
      this.#endedBy({ by });
      void this.#waitForOther();
    });
    socket.on('error', ({ code }: NodeJS.ErrnoException) =>
      this.#endedBy({ by, ...(code !== undefined && { code }) }),
    );
    if (socket.closed) onClose();
    else socket.once('close', onClose);
  }

  #endedBy(end: TunnelEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#observation?.end(end.by);
  }

  async #waitForOther(): Promise<void> {
    for (let before = -1; before !== this.bytesUp + this.bytesDown; ) {
      before = this.bytesUp + this.bytesDown;
      try {
        await this.#clock.sleep(HALF_CLOSED_MS, this.#over.signal);
      } catch {
        return;
      }
    }
    this.#letGo(this.#dataPlane);
    this.#letGo(this.#controlPlane);
  }

  /** Closes it once it has what was read for it. */
  #letGo(socket: Socket): void {
    if (socket.destroyed) return;
    socket.destroySoon();
    this.#clock.sleep(FLUSH_MS, this.#over.signal).then(
      () => socket.destroy(),
      () => {},
    );
  }
}
